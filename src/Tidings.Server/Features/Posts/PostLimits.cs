namespace Tidings.Server.Features.Posts;

/// <summary>How big posts may be. Texts are counted in Unicode scalars.</summary>
/// <param name="PostChars">The longest content, <c>Tidings:Limits:PostChars</c>.</param>
internal sealed record PostLimits(int PostChars = 10_000)
{
    public const int TitleChars = 200;
    public const int CategoryChars = 50;
    public const int TierChars = 50;

    /// <summary>The largest body of a request: each scalar may come as two escapes of six bytes, and the rest of the fields is small.</summary>
    public int BodyBytes => (PostChars * 12) + (32 * 1024);
}
