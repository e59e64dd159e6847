using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// Signs a subscription to one of our channels, if the user may read it: decided by the parts of its parsed name, as for every client. It
/// names the user also for private channels, so that the live connection knows whose it is. Channels of the host app's own are for its own
/// endpoint to sign.
/// </summary>
internal static class AuthorizeChannel
{
    public sealed record Answer(
        [property: JsonPropertyName("auth")] string Auth,
        [property: JsonPropertyName("channel_data")] string ChannelData);

    public static async Task<IResult> HandleAsync(
        HttpRequest http, RealtimeEngine engine, PusherApp app, IConnectionAuthenticator tokens, CancellationToken cancellationToken)
    {
        var (request, problem) = await PusherClientRequest.ReadAsync(http, tokens, cancellationToken);
        if (request is null) return problem!;
        if (request.Channel is not { } text) return Problems.Invalid("channel_name", "This is required.");

        var name = new PusherName(text);
        if (!name.IsSigned || name.Find(engine.Catalog, out var channel) != ChannelNameError.None || channel!.IsForeign) return Forbidden();
        var grant = await engine.AuthorizeAsync(request.Identity, channel, null, cancellationToken);
        if (!grant.IsAllowed) return Forbidden();

        var channelData = request.Sign("user_id");
        return TypedResults.Ok(new Answer(PusherSignature.Sign(app, PusherSignature.OfChannel(request.Socket, text, channelData)), channelData));
    }

    private static ProblemHttpResult Forbidden() => Problems.Problem(403, "forbidden", "You may not subscribe to this channel.");
}
