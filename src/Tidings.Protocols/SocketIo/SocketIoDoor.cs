using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Options;
using Tidings.Protocols.Admission;
using Tidings.Protocols.EngineIo;
using Tidings.Realtime;

namespace Tidings.Protocols.SocketIo;

/// <summary>Who may open a session: the origin first, then the limits. Who it is, is asked when the client connects to the namespace.</summary>
internal sealed class SocketIoDoor(RealtimeEngine engine, Gatekeeper gate, MainNamespace main, IOptions<NativeProtocolOptions> options) : IEngineIoDoor
{
    /// <summary>How long a session may be in no namespace.</summary>
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(15);

    private readonly SocketIoSettings _settings = new(ConnectTimeout, options.Value.MessageTimeout);

    /// <inheritdoc />
    public EngineIoError? Judge(HttpContext context)
    {
        var origin = gate.JudgeOrigin(context.Request);
        CrossOrigin.Allow(context, origin);
        return origin == OriginVerdict.Refused ? EngineIoError.Forbidden : null;
    }

    /// <inheritdoc />
    public async ValueTask<EngineIoEntry> AdmitAsync(HttpContext context)
    {
        if (!engine.IsOpen) return new(null, EngineIoError.Unavailable(StatusCodes.Status503ServiceUnavailable, RetryDelay.Ordinary()));
        if (!gate.TryEnter(context, out var place, out var limit))
        {
            var status = limit.Code == 4429 ? StatusCodes.Status429TooManyRequests : StatusCodes.Status503ServiceUnavailable;
            return new(null, EngineIoError.Unavailable(status, RetryDelay.Of(limit) ?? RetryDelay.Long()));
        }

        var token = Gatekeeper.FindToken(context.Request);
        AdmittanceOf otherwise;
        try
        {
            otherwise = token is null ? await gate.IdentifyRequestAsync(context, gate.OriginOf(context.Request)) : default;
        }
        catch
        {
            place.Dispose(); // the client has left meanwhile
            throw;
        }

        if (otherwise.Outcome == Admittance.NoOrigin)
        {
            place.Dispose();
            return new(null, EngineIoError.Forbidden);
        }

        var visitor = new Visitor(token, otherwise, engine.Clock.GetTimestamp());
        return new(
            session => new SocketSession(
                session, main.For(visitor), _settings, engine.Clock,
                new MessageRate(engine.Options.MessagesPerSecond, engine.Options.MessageBurst, engine.Clock), place),
            Place: place);
    }
}
