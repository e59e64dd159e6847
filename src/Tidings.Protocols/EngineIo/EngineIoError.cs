using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tidings.Protocols.Native;

namespace Tidings.Protocols.EngineIo;

/// <summary>A refusal as Engine.IO clients know it: a status and a JSON object with a code of a closed list.</summary>
/// <param name="Status">The HTTP status.</param>
/// <param name="Code">The protocol's code.</param>
/// <param name="Message">The text that belongs to it.</param>
/// <param name="RetryAfter">When to come back, or null.</param>
internal sealed record EngineIoError(int Status, int Code, string Message, TimeSpan? RetryAfter = null)
{
    /// <summary>There is no such transport.</summary>
    public static EngineIoError UnknownTransport { get; } = new(StatusCodes.Status400BadRequest, 0, "Transport unknown");

    /// <summary>There is no such session, or not any more.</summary>
    public static EngineIoError UnknownSession { get; } = new(StatusCodes.Status400BadRequest, 1, "Session ID unknown");

    /// <summary>A session is opened with GET.</summary>
    public static EngineIoError BadMethod { get; } = new(StatusCodes.Status400BadRequest, 2, "Bad handshake method");

    /// <summary>A request that makes no sense as the session stands.</summary>
    public static EngineIoError BadRequest { get; } = new(StatusCodes.Status400BadRequest, 3, "Bad request");

    /// <summary>The page's origin, or the host, does not allow it.</summary>
    public static EngineIoError Forbidden { get; } = new(StatusCodes.Status403Forbidden, 4, "Forbidden");

    /// <summary>Another version than 4.</summary>
    public static EngineIoError UnsupportedVersion { get; } = new(StatusCodes.Status400BadRequest, 5, "Unsupported protocol version");

    /// <summary>A method that a session does not know.</summary>
    public static EngineIoError WrongMethod { get; } = new(StatusCodes.Status405MethodNotAllowed, 3, "Bad request");

    /// <summary>A body over the limit.</summary>
    public static EngineIoError TooLarge { get; } = new(StatusCodes.Status413PayloadTooLarge, 3, "Payload too large");

    /// <summary>The server can't take the client now.</summary>
    public static EngineIoError Unavailable(int status, TimeSpan retryAfter) => new(status, 4, "Come back later", retryAfter);

    /// <summary>Answers a request with it.</summary>
    public async Task WriteAsync(HttpContext context)
    {
        var response = context.Response;
        response.StatusCode = Status;
        response.ContentType = "application/json";
        response.Headers.CacheControl = "no-store";
        if (RetryAfter is { } after) response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        if (Status == StatusCodes.Status405MethodNotAllowed) response.Headers.Allow = "GET, POST";

        var body = ToJson();
        response.ContentLength = body.Length;
        await response.BodyWriter.WriteAsync(body, context.RequestAborted);
    }

    private byte[] ToJson()
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteNumber("code"u8, Code);
        json.WriteString("message"u8, Message);
        json.WriteEndObject();
        json.Flush();
        return scratch.Bytes.WrittenSpan.ToArray();
    }
}
