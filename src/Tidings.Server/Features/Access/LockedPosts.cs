using Tidings.Server.Storage;

namespace Tidings.Server.Features.Access;

/// <summary>Which posts a client should read again when a reader's rights have changed: the newest, as many as a client may hold.</summary>
internal static class LockedPosts
{
    private const int Most = 50;

    /// <summary>The newest posts of a creator that a level opens.</summary>
    public static ValueTask<IReadOnlyList<string>> NewestAsync(IWriteUnit write, string creatorId, long level) =>
        write.QueryAsync<string>(Sql.Newest, new { CreatorId = creatorId, Level = level, Most });

    private static class Sql
    {
        public const string Newest = """
            SELECT id FROM posts
            WHERE author_id = @CreatorId AND deleted = 0 AND status = 'published' AND is_locked = 1 AND tier_level <= @Level
            ORDER BY created_at DESC, id DESC LIMIT @Most
            """;
    }
}
