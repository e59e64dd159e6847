using System.Net;
using System.Text.RegularExpressions;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>Counts a text as Mastodon does, and knows one again in the HTML that Mastodon makes of it.</summary>
internal static partial class StatusText
{
    /// <summary>Characters as people see them; an address counts as a fixed number, of a remote mention only the name.</summary>
    public static int Count(string text, int charsPerUrl) =>
        PostText.Graphemes(MentionPattern().Replace(UrlPattern().Replace(text, new string('x', charsPerUrl)), "@$1"));

    /// <summary>Whether the HTML of a status is this text.</summary>
    public static bool IsSame(string text, string html)
    {
        var shown = WebUtility.HtmlDecode(TagPattern().Replace(html, static tag => tag.Value.StartsWith("<br", StringComparison.OrdinalIgnoreCase) || tag.Value.StartsWith("</p", StringComparison.OrdinalIgnoreCase) ? "\n" : ""));
        return Bare(text) == Bare(shown);
    }

    /// <summary>Without spaces, which paragraphs and line breaks become, and without the servers of mentions, which are not shown.</summary>
    private static string Bare(string text) => SpacePattern().Replace(MentionPattern().Replace(text, "@$1"), "");

    [GeneratedRegex("""https?://[^\s<>"]+""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex UrlPattern();

    [GeneratedRegex("""(?<![\w@/])@(\w+)@[\w.-]+\w""", RegexOptions.CultureInvariant)]
    private static partial Regex MentionPattern();

    [GeneratedRegex("<[^>]*>", RegexOptions.CultureInvariant)]
    private static partial Regex TagPattern();

    [GeneratedRegex(@"\s+", RegexOptions.CultureInvariant)]
    private static partial Regex SpacePattern();
}
