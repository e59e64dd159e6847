using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Tidings.Server.Storage;

namespace Tidings.Server.Host;

/// <summary>
/// Turns what goes wrong into problem details with a stable code. Faults of ours show no detail; mistakes of clients are told; answers that
/// the framework leaves empty get a body.
/// </summary>
internal sealed partial class ErrorAnswers(ILogger<ErrorAnswers> log)
{
    private const int ClientClosedRequest = 499;
    private static readonly TimeSpan ComeBackAfter = TimeSpan.FromSeconds(2);

    /// <summary>Middleware, outermost but for the headers.</summary>
    public async Task RunAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (Exception exception) when (!context.Response.HasStarted)
        {
            await AnswerAsync(context, exception);
            return;
        }

        if (IsEmptyRefusal(context)) await ResultOf(context.Response.StatusCode).ExecuteAsync(context);
    }

    /// <summary>503 <c>unavailable</c>: too much is waiting here; the client has done nothing wrong.</summary>
    public static ProblemHttpResult Busy(HttpContext context)
    {
        context.Response.Headers.RetryAfter = ((int)ComeBackAfter.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        return Problems.Problem(503, "unavailable", "The server cannot do this now; try again.");
    }

    private Task AnswerAsync(HttpContext context, Exception exception)
    {
        context.Response.Clear();   // CORS headers come when the answer starts, so pages of allowed origins can read this
        switch (exception)
        {
            case BadHttpRequestException { InnerException: JsonException json }:
                return JsonBodies.ProblemOf(json).ExecuteAsync(context);
            case BadHttpRequestException bad:
                return ResultOf(bad.StatusCode).ExecuteAsync(context);
            case InvalidOperationException when HasUnknownCharset(context.Request):
                return ResultOf(415).ExecuteAsync(context);   // the framework takes a charset that it does not know for a fault of ours
            case StoreUnavailableException:
                Log.StoreUnavailable(log, exception);
                return Busy(context).ExecuteAsync(context);
            case OperationCanceledException when context.RequestAborted.IsCancellationRequested:
                context.Response.StatusCode = ClientClosedRequest;   // nobody reads it; logs and metrics do
                return Task.CompletedTask;
            default:
                Log.Unhandled(log, exception);
                return Problems.Problem(500, "internal", "Something went wrong on the server.").ExecuteAsync(context);
        }
    }

    private static bool HasUnknownCharset(HttpRequest request)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type) || !type.Charset.HasValue) return false;
        try
        {
            return type.Encoding is null;
        }
        catch (Exception error) when (error is ArgumentException or NotSupportedException)   // UTF-7 is known, but no longer read
        {
            return true;
        }
    }

    private static bool IsEmptyRefusal(HttpContext context) =>
        !context.Response.HasStarted && context.Response.StatusCode is >= 400 and < 600 and not ClientClosedRequest
        && context.Response.ContentLength is null or 0 && context.Response.ContentType is null
        && context.Request.Path.StartsWithSegments("/api");

    private static ProblemHttpResult ResultOf(int status) => status switch
    {
        401 => Problems.Problem(status, "unauthorized", "Sign in first."),
        403 => Problems.Problem(status, "forbidden", "This is not for you to do."),
        404 => Problems.Problem(status, "not_found", "There is nothing here."),
        405 => Problems.Problem(status, "method_not_allowed", "This address does not know the method."),
        408 => Problems.Problem(status, "timeout", "The request took too long to arrive."),
        413 => Problems.Problem(status, "too_large", "The body is too large."),
        415 => Problems.Problem(status, "unsupported_media_type", "Send the body as application/json."),
        429 => Problems.Problem(status, "rate_limited", "Too many requests; try again later."),
        >= 500 => Problems.Problem(status, status == 503 ? "unavailable" : "internal", "Something went wrong on the server."),
        _ => Problems.Problem(status, "bad_request", "The request cannot be understood."),
    };

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Error, "A request failed by a fault of the server.")]
        public static partial void Unhandled(ILogger logger, Exception exception);

        [LoggerMessage(1002, LogLevel.Warning, "A request failed because the store is unavailable.")]
        public static partial void StoreUnavailable(ILogger logger, Exception exception);
    }
}
