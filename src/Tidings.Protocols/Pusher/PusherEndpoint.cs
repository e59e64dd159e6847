using System.Globalization;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// <c>/app/{key}</c>: from a request to a session. Whoever is refused is told by a close code behind the upgrade: a client that gets an
/// HTTP status instead says nothing for 15 seconds.
/// </summary>
internal sealed class PusherEndpoint(
    RealtimeEngine engine, PusherApp app, Gatekeeper gate, IOptions<NativeProtocolOptions> options, ILogger<PusherSession> logger, IPusherListener? listener = null)
    : IWebSocketEndpoint
{
    /// <summary>Where it is.</summary>
    public const string Path = "/app/{key}";

    private const int OldestVersion = 5;
    private const int NewestVersion = 7;

    private readonly PusherContext _shared = new(engine, app, new PusherFormat(engine.Catalog), new PusherWatchlists(engine), listener, options.Value.MessageTimeout, logger);

    /// <inheritdoc />
    public IReadOnlyList<string> Paths { get; } = [Path];

    /// <inheritdoc />
    public string? Subprotocol => "pusher-channels-protocol-7";

    /// <inheritdoc />
    public int MessageBytes => engine.Options.MessageBytes;

    /// <inheritdoc />
    public async ValueTask<WebSocketVisit?> AdmitAsync(HttpContext context)
    {
        var origin = gate.JudgeOrigin(context.Request);
        var admittance = await gate.IdentifyAsync(context, origin);
        return new Visit(_shared, admittance, RefusalOf(context.Request, origin, admittance));
    }

    /// <inheritdoc />
    public Task RefuseAsync(HttpContext context, HandshakeVerdict verdict) => WebSocketRequest.RefuseFormAsync(context, verdict);

    private CloseReason? RefusalOf(HttpRequest request, OriginVerdict origin, AdmittanceOf admittance)
    {
        if (admittance.Limit is { } limit) return PusherCloses.Of(limit);
        var path = request.Path.Value.AsSpan(); // there may be something before it; the key is its end
        if (_shared.App.With(path[(path.LastIndexOf('/') + 1)..]) is null) return PusherCloses.UnknownApp;
        if (VersionProblem(request) is { } problem) return problem;
        if (origin == OriginVerdict.Refused) return PusherCloses.Unauthorized;
        return admittance.Outcome switch
        {
            // Whoever has shown nothing yet may do so later, by signatures; before that only what is for everybody is open.
            Admittance.Granted or Admittance.NoToken => null,
            Admittance.Unavailable => PusherCloses.Of(CloseReason.Unavailable(RetryDelay.Long())),
            _ => PusherCloses.Unauthorized,
        };
    }

    private static CloseReason? VersionProblem(HttpRequest request)
    {
        var text = request.Query["protocol"].ToString();
        if (text.Length == 0) return PusherCloses.NoVersion;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var version)) return PusherCloses.BadVersion;
        return version is >= OldestVersion and <= NewestVersion ? null : PusherCloses.UnknownVersion;
    }

    private sealed class Visit(PusherContext shared, AdmittanceOf admittance, CloseReason? refusal) : WebSocketVisit
    {
        public override async Task RunAsync(WebSocketReceiver receiver, WebSocketTransport transport, CancellationToken closed)
        {
            using var place = admittance.Place;
            var session = new PusherSession(shared, receiver, transport);
            if (refusal is null) await session.RunAsync(admittance.Identity ?? ClientIdentity.Anonymous, closed);
            else await session.RefuseClientAsync(refusal);
        }

        public override void Dispose() => admittance.Place?.Dispose();
    }
}
