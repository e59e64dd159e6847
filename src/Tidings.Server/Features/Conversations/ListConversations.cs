using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>
/// A page of the user's conversations, the last active first. One that becomes active while pages are read is told of by
/// <c>message_created</c>; the others are neither repeated nor skipped.
/// </summary>
internal static class ListConversations
{
    private const int DefaultLimit = 20;
    private const int MaxLimit = 100;

    public static async Task<IResult> HandleAsync(CurrentUser user, Store store, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        var from = PageCursor.Start;
        if (!string.IsNullOrEmpty(cursor) && !PageCursor.TryParse(cursor, out from))
            return Problems.Problem(400, "invalid_cursor", "This cursor was not given out by this server: ask for the first page.");

        var page = await store.ReadAsync(
            async connection =>
            {
                var rows = (await connection.QueryAsync<ConversationRow>(Sql.Page, new { Me = user.Id, At = from.CreatedAt, from.Id, Take = take + 1 })).AsList();
                var hasMore = rows.Count > take;
                if (hasMore) rows.RemoveAt(take);
                var next = hasMore ? new PageCursor(rows[^1].ActiveAt, rows[^1].Id).ToString() : null;
                return new ConversationPage(await ConversationRow.ViewAsync(connection, rows), next);
            },
            cancellationToken);
        return TypedResults.Json(page, ConversationsJson.Answers.ConversationPage);
    }

    private static class Sql
    {
        public const string Page = $"""
            SELECT {ConversationRow.Columns} FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = @Me AND (c.active_at, c.id) < (@At, @Id)
            ORDER BY c.active_at DESC, c.id DESC LIMIT @Take
            """;
    }
}
