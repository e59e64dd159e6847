using System.Diagnostics.Metrics;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>What the store counts, on the meter <c>Tidings</c>. Safe for all threads.</summary>
internal sealed class StorageMetrics : IDisposable
{
    private readonly Meter _meter = new("Tidings");

    public StorageMetrics(Func<long> ofReaders, Func<long> ofWriter) =>
        _meter.CreateObservableCounter(
            "tidings_database_statements_total",
            () => (Measurement<long>[])[new(ofReaders(), new KeyValuePair<string, object?>("by", "readers")), new(ofWriter(), new KeyValuePair<string, object?>("by", "writer"))],
            description: "Statements run by the database, by who ran them.");

    public void Dispose() => _meter.Dispose();
}
