using System.Diagnostics.Metrics;

namespace Tidings.Server.Publishing;

/// <summary>What was published, and whether something waits that should not.</summary>
internal sealed class PublishingMetrics : IDisposable
{
    private readonly Meter _meter = new("Tidings");
    private readonly Counter<long> _targets;
    private readonly Histogram<double> _lateness;
    private double _oldestDueSeconds;

    public PublishingMetrics()
    {
        _targets = _meter.CreateCounter<long>("tidings_publishing_targets_total", description: "Attempts and what else became of targets, by platform and result.");
        _lateness = _meter.CreateHistogram(
            "tidings_publishing_lateness_seconds", description: "From a target's time to the beginning of its first attempt.",
            advice: new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.1, 0.25, 0.5, 1, 2, 5, 10, 60, 600, 3_600] });
        _meter.CreateObservableGauge(
            "tidings_publishing_oldest_due_seconds", () => Volatile.Read(ref _oldestDueSeconds), description: "How long the oldest target waits that is due and that nobody has claimed.");
    }

    /// <summary>Something became of a target.</summary>
    public void Count(string platform, string result) => _targets.Add(1, new("platform", platform), new("result", result));

    /// <summary>A first attempt began.</summary>
    public void Started(TimeSpan late) => _lateness.Record(Math.Max(0, late.TotalSeconds));

    /// <summary>How long the oldest due target waits; zero if there is none.</summary>
    public void SetOldestDue(TimeSpan waiting) => Volatile.Write(ref _oldestDueSeconds, Math.Max(0, waiting.TotalSeconds));

    public void Dispose() => _meter.Dispose();
}
