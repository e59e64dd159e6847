using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>What becomes of a client at the door.</summary>
internal enum Admittance
{
    /// <summary>It may come in.</summary>
    Granted,

    /// <summary>It has no token, and anonymous clients are not allowed.</summary>
    NoToken,

    /// <summary>Its token is not accepted.</summary>
    InvalidToken,

    /// <summary>Its token was good once.</summary>
    TokenExpired,

    /// <summary>It relies on a cookie but does not come from a page of an allowed origin.</summary>
    NoOrigin,

    /// <summary>Who it is cannot be found out now; a fault of ours.</summary>
    Unavailable,

    /// <summary>There are too many of them; its token has not been looked at.</summary>
    OverLimit,
}

/// <summary>The answer of the <see cref="Gatekeeper"/>.</summary>
/// <param name="Outcome">What becomes of the client.</param>
/// <param name="Identity">Who it is; only if it is granted.</param>
/// <param name="Limit">Why it must stay away for a while; only if it is over a limit.</param>
/// <param name="Place">
/// What it takes of the limits until it is gone: whoever gets this answer disposes it then. Null if it was turned away at once.
/// </param>
internal readonly record struct AdmittanceOf(
    Admittance Outcome, ClientIdentity? Identity = null, CloseReason? Limit = null, ConnectionPlace? Place = null);

/// <summary>
/// The same door for all three transports: the origin first, then the limits, then the token, then the cookie. Tokens never reach a
/// log, nor does a URL, which may carry one.
/// </summary>
internal sealed partial class Gatekeeper(
    IOriginPolicy origins,
    IConnectionAuthenticator tokens,
    IRequestIdentity cookies,
    ConnectionLimits limits,
    RealtimeEngine engine,
    IOptions<NativeProtocolOptions> options,
    ILogger<Gatekeeper> logger)
{
    /// <summary>What the request's origin is worth.</summary>
    public OriginVerdict OriginOf(HttpRequest request)
    {
        var header = request.Headers.Origin;
        var origin = header.Count switch { 0 => null, 1 => header[0], _ => "" };
        return origins.Judge(origin, request.Scheme, request.Host.Value ?? "");
    }

    /// <summary>Judges the request's origin, and counts it if it is refused.</summary>
    public OriginVerdict JudgeOrigin(HttpRequest request)
    {
        var verdict = OriginOf(request);
        if (verdict == OriginVerdict.Refused)
        {
            engine.Metrics.CountRefusal(Refusal.Origin);
            Log.OriginRefused(logger, request.Path);
        }

        return verdict;
    }

    /// <summary>Lets a client in, if the limits do, and finds out who it is. The origin has been judged and was not refused.</summary>
    public async ValueTask<AdmittanceOf> IdentifyAsync(HttpContext context, OriginVerdict origin)
    {
        if (!limits.TryEnter(context.Connection.RemoteIpAddress, out var place, out var limit)) return new(Admittance.OverLimit, Limit: limit);

        var isHanded = false;
        try
        {
            var admittance = await JudgeAsync(context, origin);
            if (admittance.Outcome == Admittance.NoOrigin) return admittance;
            isHanded = true;
            return admittance with { Place = place };
        }
        finally
        {
            if (!isHanded) place.Dispose();
        }
    }

    /// <summary>Takes a client's place among those that may be open, for a protocol whose clients say later who they are.</summary>
    public bool TryEnter(HttpContext context, [NotNullWhen(true)] out ConnectionPlace? place, [NotNullWhen(false)] out CloseReason? limit) =>
        limits.TryEnter(context.Connection.RemoteIpAddress, out place, out limit);

    /// <summary>Finds out who a request comes from whose client has its place.</summary>
    public ValueTask<AdmittanceOf> IdentifyRequestAsync(HttpContext context, OriginVerdict origin) => JudgeAsync(context, origin);

    /// <summary>Judges a token that came in the first message.</summary>
    public async ValueTask<AdmittanceOf> IdentifyAsync(string token, CancellationToken cancellationToken)
    {
        try
        {
            return await JudgeTokenAsync(token, cancellationToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return CannotIdentify(exception);
        }
    }

    /// <summary>The token of a request, first found wins.</summary>
    internal static string? FindToken(HttpRequest request)
    {
        const string scheme = "Bearer ";
        foreach (var value in request.Headers.Authorization)
            if (value is not null && value.StartsWith(scheme, StringComparison.OrdinalIgnoreCase)) return value[scheme.Length..].Trim();

        return WebSocketHandshake.TokenAmong(request.Headers.SecWebSocketProtocol)
            ?? NotEmpty(request.Query["token"]) ?? NotEmpty(request.Query["access_token"]);
    }

    private static string? NotEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;

    // A page of the same origin sends no Origin with a GET; that it is one is then told by the browser's own mark.
    private static bool MayUseCookie(HttpRequest request, OriginVerdict origin) =>
        origin is OriginVerdict.Own or OriginVerdict.Allowed || request.Headers["Sec-Fetch-Site"] == "same-origin";

    private async ValueTask<AdmittanceOf> JudgeAsync(HttpContext context, OriginVerdict origin)
    {
        try
        {
            if (FindToken(context.Request) is { } token) return await JudgeTokenAsync(token, context.RequestAborted);

            if (await cookies.OfAsync(context) is { } identity)
            {
                if (MayUseCookie(context.Request, origin)) return new(Admittance.Granted, identity);
                engine.Metrics.CountRefusal(Refusal.Origin);
                return new(Admittance.NoOrigin);
            }

            return options.Value.AllowAnonymous ? new(Admittance.Granted, ClientIdentity.Anonymous) : new(Admittance.NoToken);
        }
        catch (Exception exception) when (exception is not OperationCanceledException)
        {
            return CannotIdentify(exception);
        }
    }

    private async ValueTask<AdmittanceOf> JudgeTokenAsync(string token, CancellationToken cancellationToken)
    {
        switch (await tokens.AuthenticateAsync(token, cancellationToken))
        {
            case { Identity: { } identity, IsExpired: false }:
                return new(Admittance.Granted, identity);
            case { IsExpired: true }:
                engine.Metrics.CountRefusal(Refusal.TokenExpired);
                return new(Admittance.TokenExpired);
            default:
                engine.Metrics.CountRefusal(Refusal.InvalidToken);
                return new(Admittance.InvalidToken);
        }
    }

    private AdmittanceOf CannotIdentify(Exception exception)
    {
        engine.Metrics.CountRefusal(Refusal.Unavailable);
        Log.CannotIdentify(logger, exception);
        return new(Admittance.Unavailable);
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2001, Level = LogLevel.Information, Message = "Refused a connection to {Path} from a page of an origin that is not allowed")]
        public static partial void OriginRefused(ILogger logger, PathString path);

        [LoggerMessage(EventId = 2002, Level = LogLevel.Error, Message = "Could not find out who connects")]
        public static partial void CannotIdentify(ILogger logger, Exception exception);
    }
}
