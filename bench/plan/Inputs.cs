using System.Globalization;
using System.Text.Json;

namespace Tidings.Plan;

/// <summary>One cost that the plan is made from.</summary>
/// <param name="Name">As in <c>inputs.json</c>; the unit is in it.</param>
/// <param name="Value">The cost.</param>
/// <param name="Basis"><c>measured</c> by a command of this repository; <c>trial</c>: measured on something simpler; or <c>assumed</c>.</param>
/// <param name="Source">The command, or why it is believed.</param>
internal sealed record Input(string Name, double Value, string Basis, string Source);

/// <summary>The costs, from <c>inputs.json</c> and, where somebody has measured here, from <c>bench/results</c>.</summary>
internal sealed class Inputs
{
    /// <summary>So many of the latest windows count; their median is taken.</summary>
    private const int MostWindows = 9;

    private readonly Dictionary<string, Input> _inputs;

    private Inputs(IEnumerable<Input> inputs) => _inputs = inputs.ToDictionary(input => input.Name, StringComparer.Ordinal);

    public IReadOnlyCollection<Input> All => _inputs.Values;

    public double this[string name] => _inputs.TryGetValue(name, out var input)
        ? input.Value
        : throw new InvalidDataException($"inputs.json has no '{name}'.");

    /// <summary>The same with one of them changed.</summary>
    public Inputs With(string name, double value) =>
        new(_inputs.Values.Select(input => input.Name == name ? input with { Value = value } : input));

    /// <summary>Reads the file.</summary>
    /// <param name="file">The path of <c>inputs.json</c>.</param>
    /// <param name="results">The folder of measurements; null or missing: none are taken from there.</param>
    public static Inputs Read(string file, string? results)
    {
        using var document = JsonDocument.Parse(File.ReadAllText(file));
        return new Inputs(document.RootElement.EnumerateObject().Select(input => Read(input, results)).ToList());
    }

    private static Input Read(JsonProperty input, string? results)
    {
        var (value, basis, source) = (input.Value.GetProperty("value").GetDouble(), Text(input.Value, "basis"), Text(input.Value, "source"));
        if (value is not (> 0 and < double.PositiveInfinity)) throw new InvalidDataException($"{input.Name} must be above 0.");
        if (basis is not ("measured" or "trial" or "assumed")) throw new InvalidDataException($"{input.Name} has the basis '{basis}'.");
        if (results is not null && input.Value.TryGetProperty("results", out var place) && Measured(place, results) is { } measured)
            return new Input(input.Name, measured, "measured", $"bench/results/{Text(place, "file")}");

        return new Input(input.Name, value, basis, source);
    }

    private static double? Measured(JsonElement place, string results)
    {
        var path = Path.Combine(results, Text(place, "file"));
        if (!File.Exists(path)) return null;
        var values = new List<double>();
        foreach (var line in File.ReadLines(path).Reverse())
        {
            using var window = JsonDocument.Parse(line);
            var root = window.RootElement;
            if (!place.GetProperty("where").EnumerateObject().All(wanted => root.TryGetProperty(wanted.Name, out var found) && found.ToString() == wanted.Value.ToString())) continue;
            var figures = root.TryGetProperty("figures", out var inside) ? inside : root;
            if (!figures.TryGetProperty(Text(place, "value"), out var figure) || figure.ValueKind != JsonValueKind.Number || figure.GetDouble() <= 0) continue;
            values.Add(figure.GetDouble());
            if (values.Count == MostWindows) break;
        }

        if (values.Count == 0) return null;
        values.Sort();
        return values[values.Count / 2];
    }

    private static string Text(JsonElement element, string name) =>
        element.GetProperty(name).GetString() ?? throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"'{name}' must be a text."));
}
