using Dapper;
using Tidings.Realtime.History;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>A page of a conversation's messages, the newest first, for its members, with the position from which a subscription continues it.</summary>
internal static class ListMessages
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 100;

    public static async Task<IResult> HandleAsync(
        string id, CurrentUser user, Store store, IDurableEventLog log, string? cursor, string? limit, CancellationToken cancellationToken)
    {
        if (!PageLimit.TryParse(limit, DefaultLimit, MaxLimit, out var take)) return PageLimit.Refusal(MaxLimit);
        var from = PlaceCursor.Newest;
        if (!string.IsNullOrEmpty(cursor) && !PlaceCursor.TryParse(cursor, out from))
            return Problems.Problem(400, "invalid_cursor", "This cursor was not given out by this server: ask for the first page.");
        if (!ConversationRules.IsId(id)) return Problems.NotFound("conversation");

        var positions = await log.OfChannelAsync(EventChannels.Conversation(id), user.Id, cancellationToken);
        var page = new { Id = id, Me = user.Id, from.Place, Take = take + 1 };
        var rows = await store.ReadAsync(
            async connection => await connection.ExecuteScalarAsync<long>(Sql.IsMember, page) > 0 ? (await connection.QueryAsync<MessageRow>(Sql.Page, page)).AsList() : null,
            cancellationToken);
        if (rows is null) return Problems.NotFound("conversation");

        var hasMore = rows.Count > take;
        if (hasMore) rows.RemoveAt(take);
        var next = hasMore ? new PlaceCursor(rows[^1].Place).ToString() : null;
        return TypedResults.Json(new MessagePage(rows.ConvertAll(row => row.Normalise()), next, positions), ConversationsJson.Answers.MessagePage);
    }

    private static class Sql
    {
        public const string IsMember = "SELECT COUNT(*) FROM conversation_members WHERE conversation_id = @Id AND user_id = @Me";

        public const string Page = $"""
            SELECT {MessageRow.Columns} FROM messages x JOIN users u ON u.id = x.author_id
            WHERE x.conversation_id = @Id AND x.place < @Place ORDER BY x.place DESC LIMIT @Take
            """;
    }
}
