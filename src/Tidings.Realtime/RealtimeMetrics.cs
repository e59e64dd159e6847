using System.Diagnostics.Metrics;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime;

/// <summary>What the engine counts, on the meter <c>Tidings</c>. Safe for all threads. No user or channel name is ever a label.</summary>
internal sealed class RealtimeMetrics : IDisposable
{
    private const int FormatSlots = 16;

    private readonly Meter _meter = new("Tidings");
    private readonly TimeProvider _clock;
    private readonly Counter<long> _publications;
    private readonly Counter<long> _deliveries;
    private readonly Counter<long> _recoveries;
    private readonly Counter<long> _slowReaders;
    private readonly Counter<long> _dropped;
    private readonly Counter<long> _refusals;
    private readonly Counter<long> _gaps;
    private readonly Counter<long> _holes;
    private readonly Histogram<double> _deliveryLatency;
    private readonly long[] _connections = new long[FormatSlots];
    private readonly string?[] _formats = new string?[FormatSlots];
    private long _subscriptions;
    private long _members;

    internal RealtimeMetrics(TimeProvider clock, Func<long> channels, Func<long> outboundBytes)
    {
        _clock = clock;
        _publications = _meter.CreateCounter<long>("tidings_publications_total", description: "Publications taken, by kind of channel.");
        _deliveries = _meter.CreateCounter<long>("tidings_deliveries_total", description: "Events queued for connections, by protocol.");
        _recoveries = _meter.CreateCounter<long>("tidings_recoveries_total", description: "Subscriptions that named a position, by result.");
        _dropped = _meter.CreateCounter<long>(
            "tidings_dropped_events_total", description: "Events of channels without history that newer ones took the place of, because their reader did not keep up.");
        _slowReaders = _meter.CreateCounter<long>("tidings_slow_readers_total", description: "Connections cut because more was waiting than allowed.");
        _refusals = _meter.CreateCounter<long>("tidings_refusals_total", description: "Connections, messages and requests refused, by reason.");
        _gaps = _meter.CreateCounter<long>("tidings_gaps_total", description: "Gaps in what arrived that were filled from the log.");
        _holes = _meter.CreateCounter<long>("tidings_holes_total", description: "Readers cut rather than shown a hole.");
        _deliveryLatency = _meter.CreateHistogram<double>(
            "tidings_delivery_latency_seconds",
            "s",
            "From the request that published to the bytes handed to the sockets, once per publication and fan-out thread.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5] });
        _meter.CreateObservableGauge("tidings_connections", ObserveConnections, description: "Open connections, by protocol.");
        _meter.CreateObservableGauge("tidings_subscriptions", () => Interlocked.Read(ref _subscriptions), description: "Subscriptions.");
        _meter.CreateObservableGauge("tidings_members", () => Interlocked.Read(ref _members), description: "Users in channels with presence, by this node.");
        _meter.CreateObservableGauge("tidings_channels", channels, description: "Channels that are live on this node.");
        _meter.CreateObservableGauge("tidings_outbound_bytes", outboundBytes, description: "Bytes that wait to be written.");
    }

    /// <summary>Counts a refused connection, message or request.</summary>
    public void CountRefusal(Refusal reason) => _refusals.Add(1, new KeyValuePair<string, object?>("reason", WordOf(reason)));

    /// <inheritdoc />
    public void Dispose() => _meter.Dispose();

    internal void CountConnection(IWireFormat format, int change)
    {
        _formats[format.Slot] = format.Name;
        Interlocked.Add(ref _connections[format.Slot], change);
    }

    internal void CountSubscriptions(int change) => Interlocked.Add(ref _subscriptions, change);

    internal void CountMembers(int change) => Interlocked.Add(ref _members, change);

    internal void CountPublication(string kind) => _publications.Add(1, new KeyValuePair<string, object?>("kind", kind));

    internal void CountRecovery(bool isRecovered) =>
        _recoveries.Add(1, new KeyValuePair<string, object?>("result", isRecovered ? "recovered" : "not_recovered"));

    internal void CountDropped(int events)
    {
        if (events > 0) _dropped.Add(events);
    }

    internal void CountSlowReader() => _slowReaders.Add(1);

    internal void CountGap() => _gaps.Add(1);

    internal void CountHole() => _holes.Add(1);

    internal void CountDelivery(ShardCounts counts, IWireFormat format, Publication publication)
    {
        counts.Deliveries[format.Slot]++;
        _formats[format.Slot] = format.Name;
        if (publication.Draft.ReceivedAt != 0 && (counts.Received.Count == 0 || counts.Received[^1] != publication.Draft.ReceivedAt))
            counts.Received.Add(publication.Draft.ReceivedAt);
    }

    /// <summary>After a shard has written a batch: adds up what it delivered.</summary>
    internal void FlushDeliveries(ShardCounts counts)
    {
        for (var slot = 0; slot < FormatSlots; slot++)
        {
            if (counts.Deliveries[slot] == 0) continue;
            _deliveries.Add(counts.Deliveries[slot], new KeyValuePair<string, object?>("protocol", _formats[slot]));
            counts.Deliveries[slot] = 0;
        }

        foreach (var receivedAt in counts.Received) _deliveryLatency.Record(_clock.GetElapsedTime(receivedAt).TotalSeconds);
        counts.Received.Clear();
    }

    private static string WordOf(Refusal reason) => reason switch
    {
        Refusal.Suspended => "suspended",
        Refusal.ConnectionsPerUser => "connections_per_user",
        Refusal.ConnectionsPerAddress => "connections_per_address",
        Refusal.ConnectionsTotal => "connections_total",
        Refusal.Handshakes => "handshakes",
        Refusal.Origin => "origin",
        Refusal.MissingToken => "missing_token",
        Refusal.InvalidToken => "invalid_token",
        Refusal.TokenExpired => "token_expired",
        Refusal.Unavailable => "unavailable",
        Refusal.Malformed => "malformed",
        Refusal.TooLarge => "too_large",
        Refusal.Messages => "messages",
        Refusal.Requests => "requests",
        Refusal.ControlFrames => "control_frames",
        Refusal.TooManySubscriptions => "too_many_subscriptions",
        Refusal.Forbidden => "forbidden",
        _ => throw new ArgumentOutOfRangeException(nameof(reason), reason, "A reason has no word."),
    };

    private IEnumerable<Measurement<long>> ObserveConnections()
    {
        var ofProtocols = new Dictionary<string, long>(StringComparer.Ordinal); // formats of one protocol share its name
        for (var slot = 0; slot < FormatSlots; slot++)
            if (_formats[slot] is { } name) ofProtocols[name] = ofProtocols.GetValueOrDefault(name) + Interlocked.Read(ref _connections[slot]);
        return ofProtocols.Select(static one => new Measurement<long>(one.Value, new KeyValuePair<string, object?>("protocol", one.Key)));
    }

    /// <summary>What one shard has delivered since it last added up. Shard only.</summary>
    internal sealed class ShardCounts
    {
        public long[] Deliveries { get; } = new long[FormatSlots];

        public List<long> Received { get; } = [];
    }
}
