namespace Tidings.Server.Storage;

/// <summary>Looks at the text of statements, on both databases.</summary>
internal static class SqlText
{
    /// <summary>The word that a statement begins with, in capitals; comments before it don't count.</summary>
    public static string FirstWord(string sql)
    {
        var rest = sql.AsSpan().TrimStart();
        while (rest.StartsWith("--", StringComparison.Ordinal))
        {
            var end = rest.IndexOf('\n');
            rest = end < 0 ? default : rest[(end + 1)..].TrimStart();
        }

        var length = 0;
        while (length < rest.Length && char.IsAsciiLetter(rest[length])) length++;
        return rest[..length].ToString().ToUpperInvariant();
    }
}
