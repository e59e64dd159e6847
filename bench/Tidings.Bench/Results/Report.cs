using System.Globalization;
using System.Text.Json.Nodes;

namespace Tidings.Bench.Results;

/// <summary>One table: printed aligned, and appended as one JSON line to <c>bench/results/&lt;verb&gt;.jsonl</c>, which is what runs are compared from.</summary>
internal sealed class Report(string verb, string title)
{
    private readonly List<(string Name, double Value, string Unit, string Note)> _rows = [];

    internal void Add(string name, double value, string unit, string note = "") => _rows.Add((name, value, unit, note));

    /// <summary>A figure that has a goal and a better aim; both are printed beside it, and neither fails the run.</summary>
    internal void AddBelow(string name, double value, string unit, double goal, double? aim = null) =>
        Add(name, value, unit, aim is null
            ? Invariant($"goal < {goal}: {(value < goal ? "met" : "not met")}")
            : Invariant($"goal < {goal}, aim < {aim}: {Verdict(value < goal, value < aim)}"));

    internal void AddAtLeast(string name, double value, string unit, double goal, double aim) =>
        Add(name, value, unit, Invariant($"goal >= {goal:N0}, aim >= {aim:N0}: {Verdict(value >= goal, value >= aim)}"));

    internal void AddLatencies(string name, Samples samples)
    {
        foreach (var percent in (ReadOnlySpan<double>)[50, 90, 99, 100])
            Add(Invariant($"{name} {(percent == 100 ? "max" : $"p{percent}")}"), samples.Percentile(percent), "ms");
    }

    internal void Publish()
    {
        var nameWidth = _rows.Max(row => row.Name.Length);
        var valueWidth = _rows.Max(row => Text(row.Value).Length);
        var unitWidth = _rows.Max(row => row.Unit.Length);
        Console.WriteLine($"\n{verb}: {title}");
        foreach (var (name, value, unit, note) in _rows)
            Console.WriteLine($"  {name.PadRight(nameWidth)}  {Text(value).PadLeft(valueWidth)} {unit.PadRight(unitWidth)}  {note}".TrimEnd());

        var figures = new JsonObject();
        foreach (var (name, value, unit, _) in _rows)
            figures[unit.Length == 0 ? name : $"{name} ({unit})"] = double.IsFinite(value) ? Math.Round(value, 4) : null;
        ResultFile.Append(verb, new JsonObject { ["title"] = title, ["figures"] = figures });
    }

    internal static string Text(double value) =>
        !double.IsFinite(value) ? "-"
        : value == Math.Floor(value) || Math.Abs(value) >= 1000 ? value.ToString("N0", CultureInfo.InvariantCulture)
        : value.ToString(Math.Abs(value) < 100 ? "F2" : "F1", CultureInfo.InvariantCulture);

    private static string Verdict(bool goal, bool aim) => aim ? "both met" : goal ? "goal met" : "not met";

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
