using Microsoft.AspNetCore.Http.Features;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Pusher;

/// <summary>Closes the live connections of a user, of whatever protocol, on all nodes. Pusher's clients then stay away until the page connects again.</summary>
internal static class TerminateConnections
{
    public static Task<IResult> HandleAsync(AppRequest request, HttpContext context)
    {
        // From the path as it was sent: what routing has decoded leaves %2F, and can't be decoded again.
        var userId = Uri.UnescapeDataString(context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].Split('/')[^2]);
        if (!ClientIdentity.IsUserId(userId)) return Task.FromResult<IResult>(Problems.Problem(400, "invalid", "This is not the id of a user."));
        context.RequestServices.GetRequiredService<RealtimeEngine>().Disconnect(userId, null, CloseReason.Disconnected);
        return Task.FromResult<IResult>(new JsonAnswer(200, "{}"u8.ToArray()));
    }
}
