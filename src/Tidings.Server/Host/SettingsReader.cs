using System.Globalization;

namespace Tidings.Server.Host;

/// <summary>
/// Reads single settings of a section; for what is wrong it notes a sentence and goes on with the default, so that all problems are told at once.
/// </summary>
internal sealed class SettingsReader(IConfiguration section, string path)
{
    public List<string> Problems { get; } = [];

    /// <summary>The text of a setting; null if it is absent or empty.</summary>
    public string? Text(string key) => section[key] is { Length: > 0 } text ? text : null;

    public bool Switch(string key, bool whenAbsent)
    {
        if (Text(key) is not { } text) return whenAbsent;
        if (bool.TryParse(text, out var value)) return value;
        return Refuse(key, $"is '{text}': write true or false.", whenAbsent);
    }

    public int Number(string key, int whenAbsent, int least = 1, int most = int.MaxValue) => (int)Number(key, (long)whenAbsent, least, most);

    public long Number(string key, long whenAbsent, long least, long most)
    {
        if (Text(key) is not { } text) return whenAbsent;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= least && value <= most) return value;
        var range = most is int.MaxValue or long.MaxValue ? $"of at least {least}" : $"from {least} to {most}";
        return Refuse(key, $"is '{text}': give a whole number {range}.", whenAbsent);
    }

    /// <summary>A duration: <c>30s</c>, <c>5m</c>, <c>12h</c>, <c>30d</c>, plain seconds, or <c>hh:mm:ss</c>.</summary>
    public TimeSpan Duration(string key, TimeSpan whenAbsent, TimeSpan least, TimeSpan most)
    {
        if (Text(key) is not { } text) return whenAbsent;
        if (TryDuration(text, out var value) && value >= least && value <= most) return value;
        return Refuse(key, $"is '{text}': give a duration such as 30s, 5m, 12h or 30d, from {InWords(least)} to {InWords(most)}.", whenAbsent);
    }

    /// <summary>A list: numbered keys, or one text with commas. The text <c>none</c> is the empty list.</summary>
    public IReadOnlyList<string> List(string key, IReadOnlyList<string> whenAbsent)
    {
        if (Text(key) is { } text)
        {
            return text.Equals("none", StringComparison.OrdinalIgnoreCase)
                ? []
                : text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        }

        var items = section.GetSection(key).GetChildren().Select(child => child.Value).OfType<string>().Where(item => item.Length > 0).ToList();
        return items.Count > 0 ? items : whenAbsent;
    }

    /// <summary>The texts under numbered keys, each with its key: for what may have commas itself.</summary>
    public IReadOnlyList<(string Key, string Text)> Items(string key) =>
        [.. section.GetSection(key).GetChildren().Where(static item => item.Value is { Length: > 0 }).Select(item => ($"{key}:{item.Key}", item.Value!))];

    /// <summary>One of a few words.</summary>
    public T Word<T>(string key, T whenAbsent, IReadOnlyDictionary<string, T> words)
    {
        if (Text(key) is not { } text) return whenAbsent;
        return words.TryGetValue(text, out var value)
            ? value
            : Refuse(key, $"is '{text}': write one of {string.Join(", ", words.Keys)}.", whenAbsent);
    }

    /// <summary>An absolute http or https URL without user or fragment.</summary>
    public Uri? Url(string key)
    {
        if (Text(key) is not { } text) return null;
        return Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.UserInfo.Length == 0 && url.Fragment.Length == 0
            ? url
            : Refuse<Uri?>(key, $"is '{text}': give a whole URL such as https://example.com/path, without a user name.", null);
    }

    /// <summary>Notes what is wrong with a setting; the sentence begins with its name.</summary>
    public T Refuse<T>(string key, string problem, T instead)
    {
        Refuse(key, problem);
        return instead;
    }

    /// <inheritdoc cref="Refuse{T}" />
    public void Refuse(string key, string problem) => Problems.Add($"{path}:{key} {problem}");

    /// <summary>Notes what is wrong with the section as a whole.</summary>
    public void RefuseAll(string problem) => Problems.Add($"{path} {problem}");

    private static bool TryDuration(string text, out TimeSpan duration)
    {
        duration = default;
        if (text.Contains(':', StringComparison.Ordinal)) return TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out duration);

        var perUnit = text[^1] switch { 's' => 1L, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 };
        var digits = perUnit == 0 ? text : text[..^1];
        if (!long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number > 1_000_000_000) return false;
        duration = TimeSpan.FromSeconds(number * Math.Max(perUnit, 1));
        return true;
    }

    private static string InWords(TimeSpan duration) =>
        duration.TotalDays >= 1 ? $"{duration.TotalDays:0.#}d" : duration.TotalHours >= 1 ? $"{duration.TotalHours:0.#}h" : $"{duration.TotalSeconds:0.#}s";
}
