using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Tidings.Server.Publishing.Connectors.Bluesky;

/// <summary>
/// Finds links, mentions and tags in a text: on Bluesky they do nothing unless the record says where they are, in bytes of UTF-8.
/// </summary>
internal static partial class RichText
{
    private const int MaxFacets = 50;
    private const int MaxTag = 64;

    /// <summary>The handles that are mentioned, without <c>@</c>, each once.</summary>
    public static IReadOnlyList<string> Mentions(string text) => [.. MentionPattern().Matches(text).Select(static match => match.Groups["handle"].Value).Distinct(StringComparer.OrdinalIgnoreCase)];

    /// <summary>The facets of a text; a mention whose handle has no DID is left as text.</summary>
    public static JsonArray Facets(string text, IReadOnlyDictionary<string, string> dids)
    {
        var found = new List<(int Start, int Length, JsonObject Feature)>();
        foreach (Match match in LinkPattern().Matches(text))
        {
            var link = match.Value.TrimEnd('.', ',', ';', ':', '!', '?', '\'', '"', ')', ']', '}');
            if (Uri.TryCreate(link, UriKind.Absolute, out _)) found.Add((match.Index, link.Length, new() { ["$type"] = "app.bsky.richtext.facet#link", ["uri"] = link }));
        }

        foreach (Match match in MentionPattern().Matches(text))
            if (dids.TryGetValue(match.Groups["handle"].Value, out var did)) found.Add((match.Index, match.Length, new() { ["$type"] = "app.bsky.richtext.facet#mention", ["did"] = did }));

        foreach (Match match in TagPattern().Matches(text))
            if (match.Length <= MaxTag) found.Add((match.Index, match.Length, new() { ["$type"] = "app.bsky.richtext.facet#tag", ["tag"] = match.Groups["tag"].Value }));

        var facets = new JsonArray();
        var end = 0;
        foreach (var (start, length, feature) in found.OrderBy(static one => one.Start).ThenByDescending(static one => one.Length).Take(MaxFacets))
        {
            if (start < end) continue; // a tag within a link
            end = start + length;
            var byteStart = Encoding.UTF8.GetByteCount(text.AsSpan(0, start));
            facets.Add((JsonNode)new JsonObject
            {
                ["index"] = new JsonObject { ["byteStart"] = byteStart, ["byteEnd"] = byteStart + Encoding.UTF8.GetByteCount(text.AsSpan(start, length)) },
                ["features"] = new JsonArray(feature),
            });
        }

        return facets;
    }

    [GeneratedRegex("""https?://[^\s<>"]+""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex LinkPattern();

    [GeneratedRegex("""(?<![\w@./])@(?<handle>[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex MentionPattern();

    [GeneratedRegex("""(?<![\w#&/])#(?<tag>\d*[^\W\d]\w*)""", RegexOptions.CultureInvariant)]
    private static partial Regex TagPattern();
}
