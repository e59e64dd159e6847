using System.Globalization;

namespace Tidings.Server.Host.Commands;

/// <summary>A command's named arguments: <c>--name value</c> or <c>--name=value</c>, each at most once.</summary>
internal sealed class CommandArguments
{
    private readonly Dictionary<string, string> _values = new(StringComparer.Ordinal);

    /// <exception cref="CommandUsageException">One is unknown, repeated or without a value.</exception>
    public CommandArguments(IReadOnlyList<string> arguments, params IReadOnlyCollection<string> names)
    {
        for (var i = 0; i < arguments.Count; i++)
        {
            var (name, value) = arguments[i].Split('=', 2) is [var left, var right] ? (left, right) : (arguments[i], null);
            if (!name.StartsWith("--", StringComparison.Ordinal) || !names.Contains(name[2..]))
                throw new CommandUsageException($"'{arguments[i]}' is not known here.");
            value ??= ++i < arguments.Count ? arguments[i] : throw new CommandUsageException($"{name} needs a value.");
            if (!_values.TryAdd(name[2..], value)) throw new CommandUsageException($"{name} is there twice.");
        }
    }

    public string Required(string name) => _values.GetValueOrDefault(name) ?? throw new CommandUsageException($"--{name} is missing.");

    public string? Optional(string name) => _values.GetValueOrDefault(name);

    public int Number(string name, int whenAbsent, int most)
    {
        if (!_values.TryGetValue(name, out var text)) return whenAbsent;
        return int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= 1 && number <= most
            ? number
            : throw new CommandUsageException($"--{name} must be a whole number from 1 to {most}.");
    }
}
