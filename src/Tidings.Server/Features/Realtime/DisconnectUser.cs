using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Realtime;

/// <summary>
/// Closes a user's live connections with 4403. With <c>revokeTokens</c> the tokens that were issued up to now open none any more; without,
/// the user may come back with the same token. Asked twice it does no harm.
/// </summary>
internal static class DisconnectUser
{
    private const int MaxBody = 1_024;

    public sealed record Request(bool? RevokeTokens);

    /// <summary>How many connections were closed on this node.</summary>
    public sealed record Answer(int Disconnected);

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, RealtimeEngine engine, Revocations revocations, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!ChannelName.IsId(id)) return BackendProblems.NotAUser();

        var revokesTokens = false;
        if (http.ContentLength is > 0 || http.ContentType is not null)
        {
            var body = await RequestJson.ReadAsync(http, PublishJson.Strict.DisconnectUserRequest, MaxBody, withFingerprint: false, cancellationToken);
            if (body.Value is not { } request) return body.Problem!;
            revokesTokens = request.RevokeTokens ?? false;
        }

        if (revokesTokens && !await revocations.RevokeTokensAsync(id, cancellationToken)) return BackendProblems.TooManyRevocations();
        return TypedResults.Ok(new Answer(engine.Disconnect(id, null, CloseReason.Disconnected, revokesTokens ? clock.GetUtcNow() : null)));
    }
}
