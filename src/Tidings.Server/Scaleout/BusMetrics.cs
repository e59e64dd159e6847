using System.Diagnostics.Metrics;

namespace Tidings.Server.Scaleout;

/// <summary>What the bus counts, on the meter <c>Tidings</c>. Safe for all threads.</summary>
internal sealed class BusMetrics : IDisposable
{
    private readonly Meter _meter = new("Tidings");
    private readonly Counter<long> _sent;
    private readonly Counter<long> _received;
    private readonly Counter<long> _dropped;

    public BusMetrics()
    {
        _sent = _meter.CreateCounter<long>("tidings_bus_sent_total", description: "Messages given to the bus for other nodes.");
        _received = _meter.CreateCounter<long>("tidings_bus_received_total", description: "Messages of other nodes that were taken.");
        _dropped = _meter.CreateCounter<long>("tidings_bus_dropped_total", description: "What did not travel or was not taken, by reason; the log has what is durable of it.");
    }

    /// <summary>Shows whether each part of the bus is up, as 1 or 0.</summary>
    public void Observe(string name, string description, Func<IEnumerable<Measurement<int>>> isUp) =>
        _meter.CreateObservableGauge(name, isUp, description: description);

    public void CountSent() => _sent.Add(1);

    public void CountReceived() => _received.Add(1);

    /// <param name="reason">One of a few words: <c>down</c>, <c>full</c>, <c>too_large</c>, <c>malformed</c>, <c>unknown</c>, <c>not_ours</c>.</param>
    /// <param name="count">How much.</param>
    public void CountDropped(string reason, int count = 1) => _dropped.Add(count, new KeyValuePair<string, object?>("reason", reason));

    public void Dispose() => _meter.Dispose();
}
