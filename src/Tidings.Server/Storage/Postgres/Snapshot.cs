using System.Globalization;

namespace Tidings.Server.Storage.Postgres;

/// <summary>Which transactions had ended at one moment: PostgreSQL's <c>pg_snapshot</c>, written <c>xmin:xmax:running,running</c>.</summary>
/// <param name="Oldest">The oldest that was still running, or the next: all below had ended.</param>
/// <param name="Next">The first that had not begun.</param>
/// <param name="Running">Those between that were running.</param>
internal sealed record Snapshot(long Oldest, long Next, long[] Running)
{
    public static Snapshot Parse(string text)
    {
        var parts = text.Split(':');
        return new Snapshot(
            NumberOf(parts[0]), NumberOf(parts[1]), [.. parts[2].Split(',', StringSplitOptions.RemoveEmptyEntries).Select(NumberOf)]);
    }

    private static long NumberOf(string text) => long.Parse(text, NumberStyles.None, CultureInfo.InvariantCulture);
}
