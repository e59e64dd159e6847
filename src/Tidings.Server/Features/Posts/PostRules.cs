namespace Tidings.Server.Features.Posts;

/// <summary>What the fields of a post may hold. Each rule adds to <c>errors</c> what is wrong with a field, by the field's name.</summary>
internal static class PostRules
{
    public static readonly string[] MediaTypes = ["text", "image", "video", "audio"];

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
        if (url.Length > PostLimits.UrlChars) errors[field] = [$"An address may have at most {PostLimits.UrlChars} characters."];
        else if (!IsWebAddress(url)) errors[field] = ["This must be an absolute http or https address."];
    }

    /// <summary>One of the four types.</summary>
    public static void MediaType(string field, string? type, Dictionary<string, string[]> errors)
    {
        if (type is not null && !MediaTypes.Contains(type, StringComparer.Ordinal)) errors[field] = ["This must be text, image, video or audio."];
    }

    /// <summary>A currency's letters and digits.</summary>
    public static void Currency(string field, string? currency, Dictionary<string, string[]> errors)
    {
        if (currency is not null && (currency.Length is 0 or > PostLimits.CurrencyChars || !currency.All(char.IsAsciiLetterOrDigit)))
            errors[field] = [$"A currency has 1 to {PostLimits.CurrencyChars} letters and digits."];
    }

    /// <summary>What a post must have as a whole: something to read or to see, and a picture if it is one.</summary>
    public static void Whole(string content, string mediaType, string? mediaUrl, Dictionary<string, string[]> errors)
    {
        if (mediaUrl is null && mediaType != "text") errors.TryAdd("mediaUrl", [$"A post of type {mediaType} needs the address of its media."]);
        else if (mediaUrl is null && string.IsNullOrWhiteSpace(content)) errors.TryAdd("content", ["A post needs a content or media."]);
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
