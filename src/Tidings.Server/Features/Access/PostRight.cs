using System.Globalization;

namespace Tidings.Server.Features.Access;

/// <summary>
/// The right that the full form of a locked post takes, as the log keeps it: <c>post:{postId}:{level or -}:{authorId}</c>. Its author holds it,
/// whoever has bought the post, and whoever subscribes to the author at that level or above. The author comes last, since a host
/// app's user id may have any character.
/// </summary>
internal readonly record struct PostRight(string PostId, long? Level, string AuthorId)
{
    private const string Prefix = "post:";

    /// <summary>Reads the text that <see cref="ToString"/> writes; any other is nobody's right.</summary>
    public static bool TryParse(string text, out PostRight right)
    {
        right = default;
        if (!text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        var level = text.IndexOf(':', Prefix.Length);
        var author = level < 0 ? -1 : text.IndexOf(':', level + 1);
        if (author < 0) return false;

        var wanted = text.AsSpan(level + 1, author - level - 1);
        long? parsed = null;
        if (!wanted.SequenceEqual("-"))
        {
            if (!long.TryParse(wanted, NumberStyles.None, CultureInfo.InvariantCulture, out var number)) return false;
            parsed = number;
        }

        right = new PostRight(text[Prefix.Length..level], parsed, text[(author + 1)..]);
        return true;
    }

    /// <summary>The right as the log keeps it.</summary>
    public override string ToString() => $"{Prefix}{PostId}:{Level?.ToString(CultureInfo.InvariantCulture) ?? "-"}:{AuthorId}";
}
