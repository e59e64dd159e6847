using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Analytics;

/// <summary>The days (UTC) that somebody asks about, both ends included.</summary>
internal readonly record struct AnalyticsRange(long First, long Last)
{
    private const int DefaultDays = 30;
    private const int MostDays = 366;
    private const string Format = "yyyy-MM-dd";

    /// <summary>A day as answers write it.</summary>
    public static string TextOf(long day) => CreatorDays.StartOf(day).ToString(Format, CultureInfo.InvariantCulture);

    /// <summary>Reads <c>from</c> and <c>to</c>: the last 30 days without them.</summary>
    /// <returns>What is wrong with them; null if nothing is.</returns>
    public static ProblemHttpResult? Read(string? from, string? to, DateTimeOffset now, out AnalyticsRange range)
    {
        range = default;
        var last = CreatorDays.DayOf(now);
        if (!string.IsNullOrEmpty(to) && !TryDay(to, out last)) return Problems.Invalid("to", "This must be a day such as 2026-11-22.");
        var first = last - DefaultDays + 1;
        if (!string.IsNullOrEmpty(from) && !TryDay(from, out first)) return Problems.Invalid("from", "This must be a day such as 2026-11-22.");
        if (first > last) return Problems.Invalid("from", "This must not be later than 'to'.");
        if (last - first >= MostDays) return Problems.Invalid("from", $"At most {MostDays} days may be asked for at once.");
        range = new AnalyticsRange(first, last);
        return null;
    }

    private static bool TryDay(string text, out long day)
    {
        var isDay = DateTimeOffset.TryParseExact(text, Format, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var start)
            && start.ToUnixTimeMilliseconds() >= 0;
        day = isDay ? CreatorDays.DayOf(start) : 0;
        return isDay;
    }
}
