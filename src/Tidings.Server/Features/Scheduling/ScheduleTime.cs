using System.Globalization;
using NodaTime;
using NodaTime.Text;
using NodaTime.TimeZones;

namespace Tidings.Server.Features.Scheduling;

/// <summary>When a post is due: what the author's clock shows, where, and which instant that is by the rules of a version of tzdb.</summary>
/// <param name="Instant">The instant.</param>
/// <param name="Local">The wall time, such as <c>2026-11-24T09:00:00</c>.</param>
/// <param name="TimeZone">An IANA name.</param>
/// <param name="Overlap"><c>earlier</c> or <c>later</c>: which of two is meant when clocks go back.</param>
/// <param name="Tzdb">The version of the rules.</param>
/// <param name="Resolution">How the wall time became an instant: <c>exact</c>, <c>moved_forward</c>, <c>earlier_of_two</c> or <c>later_of_two</c>.</param>
internal sealed record ScheduleTime(DateTimeOffset Instant, string Local, string TimeZone, string Overlap, string Tzdb, string Resolution)
{
    public const string Earlier = "earlier";
    public const string Later = "later";

    private const string Exact = "exact";
    private const string MovedForward = "moved_forward";

    private static readonly LocalDateTimePattern Pattern = LocalDateTimePattern.CreateWithInvariantCulture("uuuu-MM-dd'T'HH:mm:ss.FFF");
    private static readonly string[] LocalFormats = ["yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd'T'HH:mm:ss", "yyyy-MM-dd'T'HH:mm:ss.FFF"];

    /// <summary>The version of the rules that this server has.</summary>
    public static string CurrentTzdb => TzdbDateTimeZoneSource.Default.TzdbVersion;

    /// <summary>A sentence for the author if the time is not what was written; null if it is.</summary>
    public string? Note => Resolution switch
    {
        MovedForward => $"There is no such time that day in {TimeZone}: clocks go forward. The post is due at {Shown} there.",
        "earlier_of_two" => $"There are two such times that day in {TimeZone}: clocks go back. The first of them is meant; \"overlap\": \"later\" means the second.",
        "later_of_two" => $"There are two such times that day in {TimeZone}: clocks go back. The second of them is meant.",
        _ => null,
    };

    private string Shown => Resolve(Instant, ZoneOf(TimeZone)!).ToString("HH:mm", CultureInfo.InvariantCulture);

    /// <summary>
    /// Reads what a request says: a wall time with a zone; or an instant (with <c>Z</c> or an offset), which the zone, if there is one, only shows. What
    /// cannot be is added to <paramref name="errors"/>.
    /// </summary>
    public static ScheduleTime? Read(string? scheduledAt, string? timeZone, string? overlap, Dictionary<string, string[]> errors)
    {
        if (overlap is not (null or Earlier or Later)) errors["overlap"] = ["This must be earlier or later."];
        var zone = ZoneOf(string.IsNullOrEmpty(timeZone) ? "UTC" : timeZone);
        if (zone is null) errors["timeZone"] = ["This is not the name of a time zone such as Europe/Berlin."];

        var text = scheduledAt ?? "";
        var isLocal = DateTime.TryParseExact(text, LocalFormats, CultureInfo.InvariantCulture, DateTimeStyles.None, out var wall);
        var instant = default(DateTimeOffset);
        if (!isLocal && !(HasOffset(text) && DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.None, out instant)))
            errors["scheduledAt"] = ["Write a time such as 2026-11-24T09:00:00 with timeZone, or an instant such as 2026-11-24T08:00:00Z."];
        else if (isLocal && string.IsNullOrEmpty(timeZone))
            errors["timeZone"] = ["A time without an offset needs a time zone."];
        if (errors.ContainsKey("scheduledAt") || errors.ContainsKey("timeZone") || errors.ContainsKey("overlap")) return null;

        if (isLocal) return Resolve(LocalDateTime.FromDateTime(wall), zone!, overlap ?? Earlier);
        var local = Resolve(instant, zone!);
        var mapping = zone!.MapLocal(local);
        var isLater = mapping.Count == 2 && mapping.Last().ToInstant() == NodaTime.Instant.FromDateTimeOffset(instant);
        return new ScheduleTime(instant.ToUniversalTime(), Pattern.Format(local), zone.Id, isLater ? Later : Earlier, CurrentTzdb, Exact);
    }

    /// <summary>The instant of a wall time that was kept, by the rules of today; null if the zone is not known any more.</summary>
    public static ScheduleTime? Again(string local, string timeZone, string overlap) =>
        ZoneOf(timeZone) is { } zone && Pattern.Parse(local) is { Success: true } parsed ? Resolve(parsed.Value, zone, overlap) : null;

    /// <summary>In a gap the time moves forward by the gap; of two the earlier is taken, unless the later was asked for.</summary>
    private static ScheduleTime Resolve(LocalDateTime wall, DateTimeZone zone, string overlap)
    {
        var mapping = zone.MapLocal(wall);
        var (resolved, how) = mapping.Count switch
        {
            0 => (Resolvers.ReturnForwardShifted(wall, zone, mapping.EarlyInterval, mapping.LateInterval), MovedForward),
            1 => (mapping.Single(), Exact),
            _ when overlap == Later => (mapping.Last(), "later_of_two"),
            _ => (mapping.First(), "earlier_of_two"),
        };
        return new ScheduleTime(resolved.ToInstant().ToDateTimeOffset(), Pattern.Format(wall), zone.Id, overlap, CurrentTzdb, how);
    }

    private static LocalDateTime Resolve(DateTimeOffset instant, DateTimeZone zone) => NodaTime.Instant.FromDateTimeOffset(instant).InZone(zone).LocalDateTime;

    private static DateTimeZone? ZoneOf(string name) => name.Length <= 64 ? DateTimeZoneProviders.Tzdb.GetZoneOrNull(name) : null;

    private static bool HasOffset(string text) => text.Length is > 16 and < 40 && (text.EndsWith('Z') || text[^6] is '+' or '-');
}
