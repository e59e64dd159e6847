namespace Tidings.Server.Host;

/// <summary>What fields of requests may hold. Each rule adds to <c>errors</c> what is wrong with a field, by the field's name.</summary>
internal static class FieldRules
{
    public const int UrlChars = 2_048;
    public const int CurrencyChars = 10;

    /// <summary>A text of at most so many Unicode scalars and without NUL, which databases cut at.</summary>
    public static void Text(string field, string? text, int maxChars, Dictionary<string, string[]> errors)
    {
        if (text is null) return;
        if (text.Contains('\0', StringComparison.Ordinal)) errors[field] = ["A text may not have the character NUL."];
        else if (text.Length > maxChars && ScalarsOf(text) > maxChars) errors[field] = [$"This may have at most {maxChars} characters."];
    }

    /// <summary>An absolute http or https address.</summary>
    public static void Url(string field, string? url, Dictionary<string, string[]> errors)
    {
        if (string.IsNullOrEmpty(url)) return;
        if (url.Length > UrlChars) errors[field] = [$"An address may have at most {UrlChars} characters."];
        else if (!IsWebAddress(url)) errors[field] = ["This must be an absolute http or https address."];
    }

    /// <summary>A currency's letters and digits.</summary>
    public static void Currency(string field, string? currency, Dictionary<string, string[]> errors)
    {
        if (currency is not null && (currency.Length is 0 or > CurrencyChars || !currency.All(char.IsAsciiLetterOrDigit)))
            errors[field] = [$"A currency has 1 to {CurrencyChars} letters and digits."];
    }

    private static bool IsWebAddress(string url)
    {
        foreach (var character in url)
            if (char.IsWhiteSpace(character) || char.IsControl(character)) return false;
        return Uri.TryCreate(url, UriKind.Absolute, out var address) && (address.Scheme is "http" or "https") && address.Host.Length > 0;
    }

    private static int ScalarsOf(string text)
    {
        var count = 0;
        foreach (var _ in text.EnumerateRunes()) count++;
        return count;
    }
}
