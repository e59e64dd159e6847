using System.Text.Json.Serialization;
using Tidings.Protocols.Pusher;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;

namespace Tidings.Server.Features.Pusher;

/// <summary>Signs the sign-in of the user on a live connection.</summary>
internal static class AuthorizeUser
{
    public sealed record Answer(
        [property: JsonPropertyName("auth")] string Auth,
        [property: JsonPropertyName("user_data")] string UserData);

    public static async Task<IResult> HandleAsync(
        HttpRequest http, PusherApp app, IConnectionAuthenticator tokens, IMemberInfo members, CancellationToken cancellationToken)
    {
        var (request, problem) = await PusherClientRequest.ReadAsync(http, tokens, cancellationToken);
        if (request is null) return problem!;

        var userId = request.Identity.UserId!;
        var infos = await members.ReadAsync([userId], cancellationToken);
        var userData = request.Sign("id", infos.GetValueOrDefault(userId, MemberInfo.None).Info);
        return TypedResults.Ok(new Answer(PusherSignature.Sign(app, PusherSignature.OfUser(request.Socket, userData)), userData));
    }
}
