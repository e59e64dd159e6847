using Tidings.Server.Storage;

namespace Tidings.Server.Features.Analytics;

/// <summary>
/// Counts what a creator gets in a day (UTC), in the transaction of what is counted. It is the last row that a unit locks before its events, and
/// whoever counts for several creators does so in the order of their ids.
/// </summary>
internal static class CreatorDays
{
    /// <summary>The day of an instant: days since 1970.</summary>
    public static long DayOf(DateTimeOffset instant) => instant.ToUnixTimeMilliseconds() / MillisecondsOfDay;

    /// <summary>When a day begins.</summary>
    public static DateTimeOffset StartOf(long day) => DateTimeOffset.FromUnixTimeMilliseconds(day * MillisecondsOfDay);

    /// <summary>So many likes more, or fewer.</summary>
    public static void CountLikes(IWriteUnit write, string creatorId, long by, DateTimeOffset now) => Count(write, creatorId, now, likes: by);

    /// <summary>So many comments more, or fewer.</summary>
    public static void CountComments(IWriteUnit write, string creatorId, long by, DateTimeOffset now) => Count(write, creatorId, now, comments: by);

    /// <summary>So many followers more, or fewer.</summary>
    public static void CountFollowers(IWriteUnit write, string creatorId, long by, DateTimeOffset now) => Count(write, creatorId, now, followers: by);

    private const long MillisecondsOfDay = 86_400_000;

    private static void Count(IWriteUnit write, string creatorId, DateTimeOffset now, long likes = 0, long comments = 0, long followers = 0) =>
        write.Enqueue(Sql.Count, new { CreatorId = creatorId, Day = DayOf(now), Likes = likes, Comments = comments, Followers = followers });

    private static class Sql
    {
        public const string Count = """
            INSERT INTO creator_days (creator_id, day, likes, comments, followers, is_told) VALUES (@CreatorId, @Day, @Likes, @Comments, @Followers, 0)
            ON CONFLICT (creator_id, day) DO UPDATE SET
                likes = creator_days.likes + excluded.likes, comments = creator_days.comments + excluded.comments,
                followers = creator_days.followers + excluded.followers, is_told = 0
            """;
    }
}
