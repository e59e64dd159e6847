using System.Globalization;
using Microsoft.AspNetCore.Http;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>Refusals before a stream is open: RFC 9457 problem details with a stable <c>code</c>.</summary>
internal static class Problems
{
    /// <summary>Answers with a problem.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string detail)
    {
        context.Response.Headers.CacheControl = "no-store";
        return TypedResults.Problem(detail, statusCode: status, extensions: [new("code", code)]).ExecuteAsync(context);
    }

    /// <summary>403 for an origin.</summary>
    public static Task OriginRefusedAsync(HttpContext context) =>
        WriteAsync(context, StatusCodes.Status403Forbidden, "forbidden", "Pages of this origin may not connect.");

    /// <summary>405 with the methods there are.</summary>
    public static Task WrongMethodAsync(HttpContext context)
    {
        context.Response.Headers.Allow = "GET";
        return WriteAsync(context, StatusCodes.Status405MethodNotAllowed, "method_not_allowed", "Use GET.");
    }

    /// <summary>401 or 403 for who asks.</summary>
    public static Task NotAdmittedAsync(HttpContext context, Admittance outcome) => outcome switch
    {
        Admittance.NoOrigin => OriginRefusedAsync(context),
        Admittance.TokenExpired => UnauthorizedAsync(context, CloseReason.TokenExpired.Reason, "The token has expired."),
        Admittance.InvalidToken => UnauthorizedAsync(context, CloseReason.InvalidToken.Reason, "The token is not accepted."),
        _ => UnauthorizedAsync(context, CloseReason.MissingToken.Reason, "A token is needed."),
    };

    /// <summary>429 or 503 with the time after which to come back.</summary>
    public static Task ComeBackAsync(HttpContext context, int status, string code, string detail, TimeSpan after)
    {
        context.Response.Headers.RetryAfter = Math.Max(1, (int)Math.Ceiling(after.TotalSeconds)).ToString(CultureInfo.InvariantCulture);
        return WriteAsync(context, status, code, detail);
    }

    /// <summary>The code of an error as docs/protocol.md spells it.</summary>
    public static string CodeOf(ErrorCode code) => code switch
    {
        ErrorCode.BadRequest => "bad_request",
        ErrorCode.UnknownType => "unknown_type",
        ErrorCode.UnknownChannel => "unknown_channel",
        ErrorCode.Forbidden => "forbidden",
        ErrorCode.NotSubscribed => "not_subscribed",
        ErrorCode.AlreadySubscribed => "already_subscribed",
        ErrorCode.TooManySubscriptions => "too_many_subscriptions",
        ErrorCode.RateLimited => "rate_limited",
        ErrorCode.TooLarge => "too_large",
        _ => "internal",
    };

    private static Task UnauthorizedAsync(HttpContext context, string code, string detail)
    {
        context.Response.Headers.WWWAuthenticate = "Bearer";
        return WriteAsync(context, StatusCodes.Status401Unauthorized, code, detail);
    }
}
