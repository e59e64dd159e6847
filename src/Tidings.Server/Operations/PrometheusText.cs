using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using System.Globalization;
using System.Text;

namespace Tidings.Server.Operations;

/// <summary>
/// Listens to the meters <c>Tidings</c> and <c>System.Runtime</c> and writes what they counted in the Prometheus text format 0.0.4.
/// Safe for all threads.
/// </summary>
internal sealed class PrometheusText : IDisposable
{
    private static readonly double[] PlainBuckets = [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5];

    private readonly MeterListener _listener = new();
    private readonly ConcurrentDictionary<(Instrument Instrument, string Labels), Series> _series = new();

    public PrometheusText()
    {
        _listener.InstrumentPublished = static (instrument, listener) =>
        {
            if (instrument.Meter.Name is "Tidings" or "System.Runtime") listener.EnableMeasurementEvents(instrument);
        };
        _listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Record(instrument, value, tags));
        _listener.Start();
    }

    /// <summary>The text of all series.</summary>
    public string Write()
    {
        _listener.RecordObservableInstruments();
        var text = new StringBuilder();
        foreach (var ofInstrument in _series.GroupBy(static entry => NameOf(entry.Key.Instrument)).OrderBy(static group => group.Key, StringComparer.Ordinal))
        {
            var instrument = ofInstrument.First().Key.Instrument;
            text.Append("# HELP ").Append(ofInstrument.Key).Append(' ').Append(Escape(instrument.Description ?? "")).Append('\n');
            text.Append("# TYPE ").Append(ofInstrument.Key).Append(' ').Append(KindOf(instrument)).Append('\n');
            foreach (var ((_, labels), series) in ofInstrument.OrderBy(static entry => entry.Key.Labels, StringComparer.Ordinal)) series.Write(text, ofInstrument.Key, labels);
        }

        return text.ToString();
    }

    /// <inheritdoc />
    public void Dispose() => _listener.Dispose();

    private static string KindOf(Instrument instrument) => instrument switch
    {
        Histogram<double> => "histogram",
        Counter<long> or Counter<double> or ObservableCounter<long> or ObservableCounter<double> or ObservableCounter<int> => "counter",
        _ => "gauge",
    };

    private static string NameOf(Instrument instrument)
    {
        var name = instrument.Name.Replace('.', '_').Replace('-', '_');
        return KindOf(instrument) == "counter" && !name.EndsWith("_total", StringComparison.Ordinal) ? name + "_total" : name;
    }

    private static string LabelsOf(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        if (tags.Length == 0) return "";
        var labels = new StringBuilder();
        foreach (var (name, value) in tags)
        {
            if (labels.Length > 0) labels.Append(',');
            labels.Append(name.Replace('.', '_')).Append("=\"").Append(Escape(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")).Append('"');
        }

        return labels.ToString();
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);

    private void Record(Instrument instrument, double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var series = _series.GetOrAdd((instrument, LabelsOf(tags)), static key => key.Instrument is Histogram<double> histogram
            ? new Series(histogram.Advice?.HistogramBucketBoundaries?.ToArray() ?? PlainBuckets)
            : new Series(null));

        var isDelta = instrument is Counter<long> or Counter<double> or UpDownCounter<long> or Histogram<double>;
        series.Record(value, isDelta);
    }

    /// <summary>One instrument with one set of labels.</summary>
    private sealed class Series(double[]? boundaries)
    {
        private readonly Lock _lock = new();
        private readonly long[] _buckets = new long[(boundaries?.Length ?? 0) + 1];
        private double _value;

        public void Record(double value, bool isDelta)
        {
            lock (_lock)
            {
                _value = isDelta ? _value + value : value;
                if (boundaries is null) return;
                var bucket = 0;
                while (bucket < boundaries.Length && value > boundaries[bucket]) bucket++;
                _buckets[bucket]++;
            }
        }

        public void Write(StringBuilder text, string name, string labels)
        {
            lock (_lock)
            {
                if (boundaries is null)
                {
                    Line(text, name, labels, _value);
                    return;
                }

                long count = 0;
                for (var bucket = 0; bucket < _buckets.Length; bucket++)
                {
                    count += _buckets[bucket];
                    var bound = bucket < boundaries.Length ? boundaries[bucket].ToString(CultureInfo.InvariantCulture) : "+Inf";
                    Line(text, name + "_bucket", (labels.Length > 0 ? labels + "," : "") + $"le=\"{bound}\"", count);
                }

                Line(text, name + "_sum", labels, _value);
                Line(text, name + "_count", labels, count);
            }
        }

        private static void Line(StringBuilder text, string name, string labels, double value)
        {
            text.Append(name);
            if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
            text.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n');
        }
    }
}
