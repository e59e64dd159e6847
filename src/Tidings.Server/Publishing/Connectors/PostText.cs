using System.Globalization;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>The words of a post for platforms that have no titles of their own.</summary>
internal static class PostText
{
    /// <summary>The title, if there is one, an empty line, and the text.</summary>
    public static string Of(OutgoingPost post) =>
        (post.Title.Trim(), post.Text.Trim()) switch
        {
            ("", var text) => text,
            (var title, "") => title,
            var (title, text) => $"{title}\n\n{text}",
        };

    /// <summary>How many characters people see (extended grapheme clusters).</summary>
    public static int Graphemes(string text)
    {
        var count = 0;
        for (var rest = text.AsSpan(); rest.Length > 0; count++) rest = rest[StringInfo.GetNextTextElementLength(rest)..];
        return count;
    }

    /// <summary>A sentence if a text has too many characters of whichever kind the platform counts.</summary>
    public static IEnumerable<string> TooLong(string platform, int count, int most, string what = "characters")
    {
        if (count > most) yield return $"{platform} takes {most} {what}, and this text has {count}: shorten it by {count - most}.";
    }

    /// <summary>A sentence if there is nothing to post.</summary>
    public static IEnumerable<string> Empty(string text, OutgoingPost post)
    {
        if (text.Length == 0 && post.Media.Count == 0) yield return "There is neither text nor a file to post.";
    }

    /// <summary>A size in the words of people.</summary>
    public static string Size(long bytes) => string.Create(
        CultureInfo.InvariantCulture, $"{(bytes >= 1_000_000 ? bytes / 1_000_000d : bytes / 1_000d):0.#} {(bytes >= 1_000_000 ? "MB" : "kB")}");
}
