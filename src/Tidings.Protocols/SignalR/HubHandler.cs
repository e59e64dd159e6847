using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.Http.Connections.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Native;
using Tidings.Realtime;

namespace Tidings.Protocols.SignalR;

/// <summary>What the door found out about the client of a request that lasts as long as its connection.</summary>
internal sealed record AdmittedClient(AdmittanceOf Admittance);

/// <summary>Takes the connections that the framework carries by WebSockets, Server-Sent Events and long polling.</summary>
internal sealed class HubHandler(RealtimeEngine engine, Gatekeeper gate, ILogger<HubSession> logger) : ConnectionHandler
{
    private readonly HubContext _shared = new(engine, Formats(engine), new HubMethods(new CommandParser(engine.Catalog)), logger);

    /// <inheritdoc />
    public override async Task OnConnectedAsync(ConnectionContext connection)
    {
        ArgumentNullException.ThrowIfNull(connection);
        var http = connection.GetHttpContext()!;
        var isPolling = connection.Features.Get<IHttpTransportFeature>()?.TransportType == HttpTransportType.LongPolling;

        // Polls come and go: who a polling client is, and its place among the others, is this connection's own affair.
        var known = http.Features.Get<AdmittedClient>()?.Admittance;
        var admittance = known ?? await gate.IdentifyAsync(http, gate.OriginOf(http.Request));
        using var place = known is null ? admittance.Place : null;

        var carrier = connection.Features.GetRequiredFeature<ITransferFormatFeature>();
        var transport = new HubTransport(connection.Transport, connection.Abort, engine.Options.CloseTimeout, engine.Clock);
        await new HubSession(_shared, connection.Transport, carrier, transport, HubClient.Of(http.Request), isPolling).RunAsync(admittance, connection.ConnectionClosed);
    }

    private static Func<IHubEncoding, bool, HubFormat> Formats(RealtimeEngine engine)
    {
        var (text, polledText) = (Of(JsonHubEncoding.Instance, true), Of(JsonHubEncoding.Instance, false));
        var (packed, polledPacked) = (Of(PackedHubEncoding.Instance, true), Of(PackedHubEncoding.Instance, false));
        return (encoding, keepsAlive) => encoding.IsBinary ? keepsAlive ? packed : polledPacked : keepsAlive ? text : polledText;

        HubFormat Of(IHubEncoding encoding, bool keepsAlive) => new(engine.Catalog, encoding, keepsAlive);
    }
}
