using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Realtime;

/// <summary>
/// Takes a channel from a user, or from everybody: live subscriptions end at once, subscription tokens that were issued up to now and
/// remembered answers of the webhook open it no more. What the rules of its kind allow, they still allow: who keeps a user out of a public
/// channel must change the rule or the answer. Asked twice it does no harm.
/// </summary>
internal static class RevokeSubscription
{
    private const int MaxBody = 4 * 1024;

    public sealed record Request(string? UserId, string? Channel);

    /// <summary>How many subscriptions ended on this node.</summary>
    public sealed record Answer(int Revoked);

    public static async Task<IResult> HandleAsync(HttpRequest http, RealtimeEngine engine, Revocations revocations, CancellationToken cancellationToken)
    {
        var body = await RequestJson.ReadAsync(http, PublishJson.Strict.RevokeSubscriptionRequest, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        if (request.Channel is null) return Problems.Invalid("channel", "This is required.");
        if (request.UserId is { } userId && !ChannelName.IsId(userId))
            return Problems.Invalid("userId", $"The id of a user has 1 to {ChannelName.MaxIdLength} of A-Z a-z 0-9 . _ ~ | @ -.");
        if (BackendProblems.TryChannel(engine.Catalog, request.Channel, out var channel) is { } problem) return problem;

        // On disk first: whoever is cut must not be able to come back with what is being taken.
        if (!await revocations.RevokeChannelAsync(channel!, request.UserId, cancellationToken)) return BackendProblems.TooManyRevocations();
        return TypedResults.Ok(new Answer(await engine.RevokeAsync(channel!, request.UserId)));
    }
}
