using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>Who may be paid by whom.</summary>
internal static class Payees
{
    /// <summary>Whether there is such a user and neither of the two has blocked the other.</summary>
    public static async ValueTask<bool> MayBePaidAsync(IWriteUnit write, string creatorId, string payerId) =>
        await write.QuerySingleOrDefaultAsync<string>(Sql.Payee, new { CreatorId = creatorId, PayerId = payerId }) is not null;

    private static class Sql
    {
        public const string Payee = """
            SELECT u.id FROM users u
            WHERE u.id = @CreatorId AND NOT EXISTS (
                SELECT 1 FROM blocks b
                WHERE (b.blocker_id = @CreatorId AND b.blocked_id = @PayerId) OR (b.blocker_id = @PayerId AND b.blocked_id = @CreatorId))
            """;
    }
}
