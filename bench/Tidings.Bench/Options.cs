using System.Globalization;

namespace Tidings.Bench;

/// <summary><c>--name value</c> pairs. Each one is read with its bounds, so that no run is unbounded in time or count.</summary>
internal sealed class Options
{
    private readonly Dictionary<string, string> _given = [];
    private readonly HashSet<string> _asked = [];

    internal Options(ReadOnlySpan<string> arguments)
    {
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (!arguments[i].StartsWith("--", StringComparison.Ordinal) || i + 1 == arguments.Length)
                throw new BenchException($"'{arguments[i]}' is not an option with a value; options are written --name value.");
            _given[arguments[i][2..]] = arguments[i + 1];
        }
    }

    internal int Number(string name, int otherwise, int least, int most)
    {
        if (!Take(name, out var text))
            return otherwise;
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < least || number > most)
            throw new BenchException($"--{name} must be a number from {least} to {most}.");
        return number;
    }

    internal TimeSpan Seconds(string name, int otherwise, int least, int most) => TimeSpan.FromSeconds(Number(name, otherwise, least, most));

    internal bool Switch(string name, bool otherwise) => Choice(name, otherwise ? "on" : "off", "on", "off") == "on";

    internal string Choice(string name, string otherwise, params ReadOnlySpan<string> choices)
    {
        if (!Take(name, out var text))
            return otherwise;
        if (!choices.Contains(text))
            throw new BenchException($"--{name} must be one of {string.Join(", ", choices)}.");
        return text;
    }

    /// <summary>A list with commas between; without it <paramref name="otherwise"/>, or everything.</summary>
    internal IReadOnlyList<string> Names(string name, IReadOnlyList<string> choices, IReadOnlyList<string>? otherwise = null)
    {
        if (!Take(name, out var text))
            return otherwise ?? choices;
        var names = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (names.Length == 0 || names.Except(choices).Any())
            throw new BenchException($"--{name} must be some of {string.Join(",", choices)}, with commas between.");
        return names;
    }

    internal string? Text(string name) => Take(name, out var text) ? text : null;

    /// <summary>A misspelt option must not measure something else in silence. Called when everything has been asked for.</summary>
    internal void RefuseUnknown()
    {
        if (_given.Keys.FirstOrDefault(name => !_asked.Contains(name)) is { } unknown)
            throw new BenchException($"--{unknown} is not an option of this command; known are {string.Join(", ", _asked.Order().Select(name => "--" + name))}.");
    }

    private bool Take(string name, out string text)
    {
        _asked.Add(name);
        return _given.TryGetValue(name, out text!);
    }
}
