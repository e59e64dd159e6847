using Microsoft.AspNetCore.Http;

namespace Tidings.Protocols.Admission;

/// <summary>CORS for the transports that are ordinary requests. Only a configured origin is ever echoed.</summary>
internal static class CrossOrigin
{
    /// <summary>Lets a page of an allowed origin read the answer, with its cookies.</summary>
    public static void Allow(HttpContext context, OriginVerdict origin)
    {
        var headers = context.Response.Headers;
        headers.Append("Vary", "Origin"); // a cache must not give one origin's answer to another
        if (origin != OriginVerdict.Allowed) return;
        headers.AccessControlAllowOrigin = context.Request.Headers.Origin;
        headers.AccessControlAllowCredentials = "true";
        headers.AccessControlExposeHeaders = "Retry-After";
    }

    /// <summary>Answers a preflight, which a GET with <c>Authorization</c> causes.</summary>
    public static void AnswerPreflight(
        HttpContext context, string methods = "GET", string headers = "Authorization, Last-Event-ID, Cache-Control")
    {
        context.Response.StatusCode = StatusCodes.Status204NoContent;
        context.Response.Headers.AccessControlAllowMethods = methods;
        context.Response.Headers.AccessControlAllowHeaders = headers;
        context.Response.Headers.AccessControlMaxAge = "600";
    }
}
