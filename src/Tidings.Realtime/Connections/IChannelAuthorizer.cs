using System.Security.Claims;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Connections;

/// <summary>Who is at the other end of a connection.</summary>
/// <param name="UserId">The user's id, or null for an anonymous visitor.</param>
/// <param name="ExpiresAt">When the token ends and with it the connection; null if it does not.</param>
/// <param name="SessionId">The sign-in that it came from, so that its end closes the connection; null if there is none.</param>
public sealed record ClientIdentity(string? UserId, DateTimeOffset? ExpiresAt, string? SessionId = null)
{
    /// <summary>When the token was issued; null if it does not say, or if there is none.</summary>
    public DateTimeOffset? IssuedAt { get; init; }

    /// <summary>Whom the host's own authentication found, with all claims; null if it was not asked.</summary>
    public ClaimsPrincipal? Principal { get; init; }

    /// <summary>The longest id of a user, in bytes of UTF-8.</summary>
    internal const int MaxUserIdBytes = 512;

    /// <summary>Whether a text may be the id of a user: at most 128 characters, none of them a control character.</summary>
    internal static bool IsUserId(string text) => text.Length is > 0 and <= 128 && !text.Any(char.IsControl);

    /// <summary>A visitor without a token.</summary>
    public static ClientIdentity Anonymous { get; } = new(null, null);
}

/// <summary>What a reader may see beyond the open form. Immutable for the life of a subscription or replaced as a whole.</summary>
internal interface IReaderRights
{
    /// <summary>Whether the reader holds a right, an opaque string that a publication names in <c>FullNeeds</c>. Must not block.</summary>
    bool Holds(string right);

    /// <summary>Whether the reader may not even know of an event of a channel that others read. Must not block.</summary>
    bool Hides(Publication publication) => false;
}

/// <summary>No rights at all.</summary>
internal sealed class NoRights : IReaderRights
{
    /// <summary>The one instance.</summary>
    public static NoRights Instance { get; } = new();

    /// <inheritdoc />
    public bool Holds(string right) => false;
}

/// <summary>The answer of an <see cref="IChannelAuthorizer"/>; by default a refusal.</summary>
public readonly record struct ChannelGrant
{
    internal ChannelGrant(bool isAllowed, IReaderRights rights) => (IsAllowed, Rights) = (isAllowed, rights);

    /// <summary>The user may not; the client is not told why.</summary>
    public static ChannelGrant Denied { get; } = new(false, NoRights.Instance);

    /// <summary>The user may, and sees the open form.</summary>
    public static ChannelGrant Open { get; } = new(true, NoRights.Instance);

    /// <summary>Whether the user may subscribe.</summary>
    public bool IsAllowed { get; }

    /// <summary>When the grant is over, and with it the subscription, once the clock skew that is forgiven has passed; null if it does not end.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>What the user may see in the channel beyond the open form.</summary>
    internal IReaderRights Rights { get; }

    /// <summary>When it was asked for, a timestamp of the engine's clock: what was revoked since counts.</summary>
    internal long AskedAt { get; init; }
}

/// <summary>Decides who may subscribe. Called before each subscription, fresh or resumed, on any thread; it may ask a database.</summary>
public interface IChannelAuthorizer
{
    /// <summary>Whether a user may subscribe to a channel, by the parsed parts of its name.</summary>
    /// <param name="identity">Who asks.</param>
    /// <param name="channel">What for.</param>
    /// <param name="token">The subscription token, if the client sent one.</param>
    /// <param name="cancellationToken">Ends with the connection.</param>
    ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken);
}

/// <summary>Tells who a client is by its token. The answer is null for a token that is not accepted.</summary>
public interface IConnectionAuthenticator
{
    /// <summary>Checks a token that came with a message or a handshake.</summary>
    ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken);
}

/// <summary>What became of a token.</summary>
/// <param name="Identity">Who it stands for, or null.</param>
/// <param name="IsExpired">Whether it was good once.</param>
public readonly record struct TokenVerdict(ClientIdentity? Identity, bool IsExpired = false);
