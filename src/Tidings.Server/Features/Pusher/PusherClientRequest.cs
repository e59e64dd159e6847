using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Pusher;

/// <summary>What a Pusher client asks an auth endpoint: for a connection, and as whom.</summary>
/// <param name="Socket">The connection.</param>
/// <param name="Channel">The channel; null if the request names none.</param>
/// <param name="Identity">Who asks.</param>
internal sealed record PusherClientRequest(string Socket, string? Channel, ClientIdentity Identity)
{
    private const int MaxBody = 4 * 1024;

    /// <summary>Reads a request that has been authenticated.</summary>
    /// <returns>The request, or what to answer instead.</returns>
    public static async Task<(PusherClientRequest? Request, IResult? Problem)> ReadAsync(
        HttpRequest http, IConnectionAuthenticator tokens, CancellationToken cancellationToken)
    {
        if (!http.HasFormContentType || http.ContentLength is not (> 0 and <= MaxBody))
            return (null, Problems.Problem(400, "bad_request", $"The body must be a form of at most {MaxBody} bytes."));

        IFormCollection form;
        try
        {
            form = await http.ReadFormAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is InvalidDataException or NotSupportedException or (IOException and not BadHttpRequestException))
        {
            return (null, Problems.Problem(400, "bad_request", "The body is not a form that can be read."));
        }

        if (!SocketId.Is(form["socket_id"].ToString())) return (null, Problems.Invalid("socket_id", "This is not the id of a connection."));
        var identity = await IdentityOfAsync(http, tokens, cancellationToken);
        if (identity is null) return (null, Problems.Problem(401, "unauthorized", "The token opens no live connection any more."));
        return (new PusherClientRequest(form["socket_id"].ToString(), form["channel_name"] is [{ Length: > 0 } name] ? name : null, identity), null);
    }

    /// <summary>
    /// What is signed of the user: besides who it is, from what sign-in and until when, so that the live connection ends with it as any
    /// other does.
    /// </summary>
    public string Sign(string idField, ReadOnlyMemory<byte>? info = null) => System.Text.Encoding.UTF8.GetString(PusherJson.Object(json =>
    {
        json.WriteString(idField, Identity.UserId);
        if (info is { } shown)
        {
            json.WritePropertyName("user_info"u8);
            json.WriteRawValue(shown.IsEmpty ? "{}"u8 : shown.Span, skipInputValidation: true);
        }

        if (Identity.IssuedAt is { } issuedAt) json.WriteNumber("iat"u8, issuedAt.ToUnixTimeSeconds());
        if (Identity.ExpiresAt is { } expiresAt) json.WriteNumber("exp"u8, expiresAt.ToUnixTimeSeconds());
        if (Identity.SessionId is { } sessionId) json.WriteString("sid"u8, sessionId);
    }));

    /// <summary>A token must be one that opens live connections: what was taken back may still be good for other requests.</summary>
    private static async Task<ClientIdentity?> IdentityOfAsync(HttpRequest http, IConnectionAuthenticator tokens, CancellationToken cancellationToken)
    {
        if (Bearer.Of(http) is { } bearer) return (await tokens.AuthenticateAsync(bearer, cancellationToken)) is { IsExpired: false, Identity: { } identity } ? identity : null;
        return await http.HttpContext.RequestServices.GetRequiredService<Protocols.Admission.IRequestIdentity>().OfAsync(http.HttpContext);
    }
}
