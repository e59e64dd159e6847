using System.Text.Json;
using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>
/// Begins a conversation. With one other user and no title it is the direct one of the two, which is found if it is there; otherwise it is a
/// new group.
/// </summary>
internal static class CreateConversation
{
    public sealed record Request
    {
        /// <summary>The other members' ids.</summary>
        public IReadOnlyList<string>? Members { get; init; }

        /// <summary>A group's title.</summary>
        public string? Title { get; init; }
    }

    public static async Task<IResult> HandleAsync(HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;
        var body = await RequestJson.ReadAsync(
            http, ConversationsRequestJson.Strict.CreateConversation, ConversationRules.BodyBytes, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var others = (request.Members ?? []).Where(member => member != user.Id).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
        var errors = Check(request, others);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var now = clock.GetUtcNow();
        var keyed = new KeyedRequest(user.Id, key, body.Fingerprint, now);
        var isDirect = others.Count == 1 && string.IsNullOrEmpty(request.Title);
        var newId = Guid.CreateVersion7(now).ToString("N");
        var done = await store.WriteAsync(
            async write =>
            {
                if (await keyed.FindAsync(write) is { } earlier) return new Outcome(First: earlier);
                var asked = new { Me = user.Id, Others = JsonSerializer.Serialize(others) };
                if (await write.QuerySingleOrDefaultAsync<long>(Sql.CountUsers, asked) != others.Count) return new Outcome(Refusal: Refusal.UnknownMember);
                if (await write.QuerySingleOrDefaultAsync<long>(Sql.Blocks, asked) > 0) return new Outcome(Refusal: Refusal.Blocked);
                if (await write.QuerySingleOrDefaultAsync<long>(Sql.CountConversations, asked) >= ConversationRules.MostConversations)
                    return new Outcome(Refusal: Refusal.TooMany);

                if (isDirect)
                {
                    var (found, isNew) = await DirectConversation.OpenAsync(write, newId, user.Id, others[0], now);
                    return new Outcome(found, isNew);
                }

                // What a repetition needs is the id: the answer shows the conversation as it is by then.
                var kept = JsonSerializer.SerializeToUtf8Bytes(newId, ConversationsJson.Default.String);
                if (await keyed.KeepAsync(write, StatusCodes.Status201Created, kept, null) is { } first) return new Outcome(First: first);
                var row = new { Id = newId, Title = request.Title ?? "", Me = user.Id, Now = now, Members = JsonSerializer.Serialize(others.Append(user.Id)) };
                write.Enqueue(Sql.Insert, row);
                write.Enqueue(Sql.InsertMembers, row);
                return new Outcome(newId, true);
            },
            cancellationToken);

        if (done.First is { } repeated)
        {
            if (!repeated.RequestHash.AsSpan().SequenceEqual(keyed.Fingerprint)) return keyed.Repeat(repeated);
            done = new Outcome(JsonSerializer.Deserialize(repeated.Body, ConversationsJson.Default.String), true);
        }

        return done.Refusal switch
        {
            Refusal.UnknownMember => Problems.Problem(422, "unknown_member", "One of the members is not a user of this server."),
            Refusal.Blocked => ConversationRules.Blocked(),
            Refusal.TooMany => Problems.Problem(422, "too_many_conversations", $"You are in {ConversationRules.MostConversations} conversations already."),
            _ => await AnswerAsync(store, user.Id, done.Id!, done.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK, cancellationToken),
        };
    }

    private static async Task<IResult> AnswerAsync(Store store, string userId, string id, int status, CancellationToken cancellationToken)
    {
        var views = await store.ReadAsync(
            async connection => await ConversationRow.ViewAsync(
                connection, (await connection.QueryAsync<ConversationRow>(Sql.One, new { Id = id, Me = userId })).AsList()),
            cancellationToken);
        return views is [var view]
            ? TypedResults.Json(new ConversationAnswer(view), ConversationsJson.Answers.ConversationAnswer, statusCode: status)
            : Problems.NotFound("conversation");
    }

    private static Dictionary<string, string[]> Check(Request request, List<string> others)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (others.Count is 0 or > ConversationRules.MostMembers - 1 || !others.TrueForAll(ConversationRules.IsId))
            errors["members"] = [$"These are the ids of 1 to {ConversationRules.MostMembers - 1} other users."];
        FieldRules.Text("title", request.Title, ConversationRules.TitleChars, errors);
        return errors;
    }

    private enum Refusal
    {
        None,
        UnknownMember,
        Blocked,
        TooMany,
    }

    private readonly record struct Outcome(string? Id = null, bool IsNew = false, FirstAnswer? First = null, Refusal Refusal = Refusal.None);

    private static class Sql
    {
        public const string CountUsers = "SELECT COUNT(*) FROM users WHERE id IN (SELECT value FROM json_each(@Others))";

        public const string Blocks = """
            SELECT COUNT(*) FROM blocks
            WHERE (blocker_id = @Me AND blocked_id IN (SELECT value FROM json_each(@Others)))
               OR (blocked_id = @Me AND blocker_id IN (SELECT value FROM json_each(@Others)))
            """;

        public const string CountConversations = "SELECT COUNT(*) FROM conversation_members WHERE user_id = @Me";

        public const string Insert = """
            INSERT INTO conversations (id, kind, pair, title, created_by, created_at, last_place, active_at)
            VALUES (@Id, 'group', NULL, @Title, @Me, @Now, 0, @Now)
            """;

        public const string InsertMembers = """
            INSERT INTO conversation_members (conversation_id, user_id, joined_at, read_place)
            SELECT @Id, value, @Now, 0 FROM json_each(@Members)
            """;

        public const string One = $"""
            SELECT {ConversationRow.Columns} FROM conversation_members m JOIN conversations c ON c.id = m.conversation_id
            WHERE m.user_id = @Me AND c.id = @Id
            """;
    }
}
