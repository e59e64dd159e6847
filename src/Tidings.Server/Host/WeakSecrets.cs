using System.Text;

namespace Tidings.Server.Host;

/// <summary>Secrets that are none: too short, too simple, or copied from a manual.</summary>
internal static class WeakSecrets
{
    private const int LeastBytes = 32;
    private const int LeastDifferent = 8;

    /// <summary>Phrases that manuals print where a secret belongs, as letters and digits alone.</summary>
    private static readonly string[] Phrases =
    [
        "changeme", "changethis", "replaceme", "replacethis", "yoursecret", "your256bitsecret", "astringsecretatleast256bitslong",
        "supersecret", "placeholder", "0123456789abcdef", "abcdefghijklmnop",
    ];

    private static readonly string[] Words = ["secret", "mysecret", "password", "example", "default", "insecure", "development", "test", "tidings"];

    /// <summary>
    /// What is wrong with a secret, as the end of a sentence that begins with its setting's name; null if nothing is. Never has the secret in it.
    /// </summary>
    public static string? ProblemOf(string secret)
    {
        const string advice = "use what `openssl rand -base64 48` prints, or leave it out to have one generated.";

        // Before the length, so that the plainest mistake gets the plainest answer.
        var letters = string.Concat(secret.Where(char.IsAsciiLetterOrDigit)).ToLowerInvariant();
        if (Words.Contains(letters) || Phrases.Any(phrase => letters.Contains(phrase, StringComparison.Ordinal)))
            return $"is or contains a well-known default: {advice}";
        if (Encoding.UTF8.GetByteCount(secret) < LeastBytes) return $"has fewer than {LeastBytes} bytes: {advice}";
        return secret.Distinct().Count() < LeastDifferent ? $"repeats a few characters: {advice}" : null;
    }
}
