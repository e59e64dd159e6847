using System.Globalization;

namespace Tidings.Bench.Network;

/// <summary>The Prometheus text of <c>GET /metrics</c>.</summary>
internal static class MetricsText
{
    /// <summary>The sum of all series of that name; 0 if there is none yet.</summary>
    internal static double Sum(ReadOnlySpan<char> text, string name)
    {
        var sum = 0.0;
        foreach (var line in text.EnumerateLines())
        {
            if (line.StartsWith(name, StringComparison.Ordinal) && line.Length > name.Length && line[name.Length] is ' ' or '{')
                sum += double.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        }

        return sum;
    }
}
