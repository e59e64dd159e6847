namespace Tidings.Server.Features.Accounts;

/// <summary>What nicknames, emails, passwords and names look like. Each check returns what is wrong, or null.</summary>
internal static class AccountRules
{
    public const int MinNickname = 3;
    public const int MaxNickname = 30;
    public const int MinPassword = 8;
    public const int MaxPassword = 256;
    public const int MaxFullName = 100;
    public const int MaxEmail = 254;

    /// <summary>ASCII, so that no two nicknames look the same.</summary>
    public static string? Nickname(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "is required.";
        return text.Length is >= MinNickname and <= MaxNickname && text.All(IsOfNickname)
            ? null
            : $"must have {MinNickname} to {MaxNickname} of a-z, A-Z, 0-9, '_', '.' and '-'.";
    }

    public static bool IsOfNickname(char character) => char.IsAsciiLetterOrDigit(character) || character is '_' or '.' or '-';

    /// <summary>Sane, not "valid": whether mail arrives there, only mail can tell.</summary>
    public static string? Email(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "is required.";
        const string wrong = "must be an email address such as name@example.com.";
        if (text.Length > MaxEmail || text.Any(IsOddInEmail)) return wrong;

        var at = text.IndexOf('@', StringComparison.Ordinal);
        if (at is < 1 or > 64 || text.IndexOf('@', at + 1) >= 0) return wrong;
        var labels = text[(at + 1)..].Split('.');
        return labels.Length >= 2 && labels.All(IsDomainLabel) && text[0] != '.' && text[at - 1] != '.' ? null : wrong;
    }

    /// <summary>Length alone counts. The text is taken as it was sent.</summary>
    public static string? Password(string? text)
    {
        if (string.IsNullOrEmpty(text)) return "is required.";
        return text.Length is >= MinPassword and <= MaxPassword ? null : $"must have {MinPassword} to {MaxPassword} characters.";
    }

    public static string? FullName(string? text) =>
        text is null || (text.Length <= MaxFullName && !text.Any(char.IsControl))
            ? null
            : $"must have at most {MaxFullName} characters, none of them control characters.";

    private static bool IsOddInEmail(char character) =>
        char.IsWhiteSpace(character) || char.IsControl(character) || "<>()[],;:\\\"".Contains(character);

    private static bool IsDomainLabel(string label) =>
        label.Length is >= 1 and <= 63 && label[0] != '-' && label[^1] != '-' && label.All(character => char.IsLetterOrDigit(character) || character == '-');
}
