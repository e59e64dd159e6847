using System.Globalization;
using System.Text.Json.Nodes;
using Tidings.Bench.Contenders;
using Tidings.Bench.Hosting;
using Tidings.Bench.Results;

namespace Tidings.Bench.Peers;

/// <summary>
/// All windows of a run. Each is appended to <c>bench/results/peers.jsonl</c> when it ends; the tables show the median of a server's windows, and
/// as ratio the median of the rounds' ratios, because two windows of one round met the same noise.
/// </summary>
internal sealed class Scoreboard
{
    private const string Reference = "tidings";

    private readonly string _run = TimeProvider.System.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
    private readonly Dictionary<(string Figure, string Contender), List<Measured>> _windows = [];
    private readonly Dictionary<string, (string Title, string Why)> _unavailable = [];

    internal void Add(Figure figure, Contender contender, Measured window)
    {
        if (!_windows.TryGetValue((figure.Key, contender.Name), out var windows))
            _windows[(figure.Key, contender.Name)] = windows = [];
        windows.Add(window);
        Console.WriteLine(Invariant($"  {figure.Key} {window.Round + 1}  {contender.Title,-22} {Report.Text(window.Value),10} {(figure.Key == "f" || figure.Key[0] == 'e' ? figure.Unit : "per CPU-second")}, generator {window.Spent.Generator:P0}"));

        var line = new JsonObject
        {
            ["run"] = _run,
            ["figure"] = figure.Key,
            ["server"] = contender.Name,
            ["round"] = window.Round,
            ["unit"] = figure.Unit,
            ["value"] = Math.Round(window.Value, 3),
            ["wall"] = Math.Round(window.Spent.Wall, 4),
            ["serverCpu"] = Math.Round(window.Spent.ServerCpu, 3),
            ["generator"] = Math.Round(window.Spent.Generator, 4),
            ["others"] = Math.Round(window.Spent.Others, 4),
            ["stolen"] = Math.Round(window.Spent.Stolen, 4),
        };
        foreach (var (name, value) in window.Details)
            line[name] = double.IsFinite(value) ? Math.Round(value, 3) : null;
        ResultFile.Append("peers", line);
    }

    /// <summary>A peer that cannot be had is a row that says so, never a missing row.</summary>
    internal void Fail(Contender contender, string why)
    {
        Console.Error.WriteLine($"  {contender.Title} is left out: {why}");
        _unavailable[contender.Name] = (contender.Title, why.Split('\n')[0]);
    }

    internal bool HasFailed(Contender contender) => _unavailable.ContainsKey(contender.Name);

    internal void Publish(Figure figure, IReadOnlyList<Contender> contenders)
    {
        var measured = contenders.Where(contender => _windows.ContainsKey((figure.Key, contender.Name))).ToList();
        var missing = contenders.Where(contender => _unavailable.ContainsKey(contender.Name)).ToList();
        Console.WriteLine($"\npeers {figure.Key}: {figure.Title}; {figure.Unit}");
        if (measured.Count > 0)
        {
            var details = _windows[(figure.Key, measured[0].Name)][0].Details.Select(detail => detail.Name).ToList();
            var table = new Table(["server", "median", "lowest", "highest", "Tidings / it", .. details, "server core", "generator core", "others", "stolen"]);
            foreach (var contender in measured)
                table.Add(Row(figure, contender, details));
            table.Write();
        }

        foreach (var contender in missing)
            Console.WriteLine($"  {contender.Title}: not available ({_unavailable[contender.Name].Why})");
        foreach (var goal in figure.Goals)
            PublishGoal(figure, goal);
    }

    /// <summary>The figure's medians as a panel; null if nobody was measured.</summary>
    internal BarChart.Panel? Draw(Figure figure, IReadOnlyList<Contender> contenders)
    {
        var bars = contenders
            .Select(contender => new BarChart.Bar(
                contender.Title,
                _windows.TryGetValue((figure.Key, contender.Name), out var windows) ? Median(windows.Select(window => window.Value)) : null,
                contender is TidingsServer))
            .ToList();
        return bars.Exists(bar => bar.Value is not null) ? new BarChart.Panel(figure.Title, $"{figure.Unit}, {figure.Better}", bars) : null;
    }

    private string[] Row(Figure figure, Contender contender, List<string> details)
    {
        var windows = _windows[(figure.Key, contender.Name)];
        var generator = Median(windows.Select(window => window.Spent.Generator));
        return
        [
            contender.Title,
            Report.Text(Median(windows.Select(window => window.Value))),
            Report.Text(windows.Min(window => window.Value)),
            Report.Text(windows.Max(window => window.Value)),
            Ratio(figure, Reference, contender.Name) is { } ratio ? Report.Text(ratio) : "-",
            .. details.Select(name => Report.Text(Median(windows.Select(window => window.Details.First(detail => detail.Name == name).Value)))),
            Share(windows, spent => spent.ServerShare),
            Share(windows, spent => spent.Generator) + (generator > Usage.GeneratorLimit ? " LIMIT?" : ""),
            Share(windows, spent => spent.Others),
            Share(windows, spent => spent.Stolen),
        ];
    }

    private void PublishGoal(Figure figure, Goal goal)
    {
        if (ValueOf(figure, goal) is not { } value)
            return;
        var isMet = goal.IsCeiling ? value <= goal.Bound : value >= goal.Bound;
        var bound = Invariant($"{goal.Contender} {(goal.IsCeiling ? "<=" : ">=")} {goal.Bound}{(goal.Peer is null ? "" : $" x {goal.Peer}")}");
        Console.WriteLine(Invariant($"  goal: {bound}: {Report.Text(value)}, {(isMet ? "met" : "not met")}"));
        ResultFile.Append("peers", new JsonObject { ["run"] = _run, ["figure"] = figure.Key, ["goal"] = bound, ["value"] = Math.Round(value, 3), ["met"] = isMet });
    }

    private double? ValueOf(Figure figure, Goal goal) =>
        goal.Peer is not null ? Ratio(figure, goal.Contender, goal.Peer)
        : _windows.TryGetValue((figure.Key, goal.Contender), out var windows) ? Median(windows.Select(window => window.Value))
        : null;

    /// <summary>Null unless both were measured in the same round at least once.</summary>
    private double? Ratio(Figure figure, string contender, string peer)
    {
        if (!_windows.TryGetValue((figure.Key, contender), out var ours) || !_windows.TryGetValue((figure.Key, peer), out var theirs))
            return null;
        var ratios = ours.Join(theirs, our => our.Round, their => their.Round, (our, their) => our.Value / their.Value).ToList();
        return ratios.Count == 0 ? null : Median(ratios);
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return (sorted[(sorted.Count - 1) / 2] + sorted[sorted.Count / 2]) / 2;
    }

    private static string Share(List<Measured> windows, Func<Usage.Spent, double> share) =>
        Invariant($"{100 * Median(windows.Select(window => share(window.Spent))):F0} %");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
