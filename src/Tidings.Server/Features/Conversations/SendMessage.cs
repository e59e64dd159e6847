using System.Text.Json;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Conversations;

/// <summary>
/// Writes a message: the message, its number in the conversation, the key of the request, the events and the other members' notifications,
/// or none of them. To a user it goes into the direct conversation with that user, which is begun if need be.
/// </summary>
internal static class SendMessage
{
    public sealed record Request
    {
        public string? Content { get; init; }
    }

    public sealed record ToUser
    {
        /// <summary>The other user's id.</summary>
        public string? To { get; init; }

        public string? Content { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser author, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;
        var body = await RequestJson.ReadAsync(http, ConversationsRequestJson.Strict.SendMessage, ConversationRules.BodyBytes, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = ConversationRules.CheckMessage(request.Content);
        if (errors.Count > 0) return Problems.Invalid(errors);
        if (!ConversationRules.IsId(id)) return Problems.NotFound("conversation");

        var keyed = new KeyedRequest(author.Id, key, body.Fingerprint, clock.GetUtcNow());
        return await SendAsync(_ => ValueTask.FromResult<string?>(id), "conversation", request.Content!, keyed, clock.GetTimestamp(), store, cancellationToken);
    }

    public static async Task<IResult> ToUserAsync(HttpRequest http, CurrentUser author, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;
        var body = await RequestJson.ReadAsync(
            http, ConversationsRequestJson.Strict.SendMessageToUser, ConversationRules.BodyBytes, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = ConversationRules.CheckMessage(request.Content);
        if (!ConversationRules.IsId(request.To) || request.To == author.Id) errors["to"] = ["This is the id of another user."];
        if (errors.Count > 0) return Problems.Invalid(errors);

        var keyed = new KeyedRequest(author.Id, key, body.Fingerprint, clock.GetUtcNow());
        var newId = Guid.CreateVersion7(keyed.Now).ToString("N");
        return await SendAsync(OpenAsync, "user", request.Content!, keyed, clock.GetTimestamp(), store, cancellationToken);

        async ValueTask<string?> OpenAsync(IWriteUnit write)
        {
            if (await write.QuerySingleOrDefaultAsync<string>(Sql.User, new { Id = request.To }) is null) return null;
            if (await DirectConversation.IsBlockedAsync(write, author.Id, request.To!)) return ""; // which is no conversation's id
            return (await DirectConversation.OpenAsync(write, newId, author.Id, request.To!, keyed.Now)).Id;
        }
    }

    private static async Task<IResult> SendAsync(
        Func<IWriteUnit, ValueTask<string?>> open, string what, string content, KeyedRequest keyed, long receivedAt, Store store, CancellationToken cancellationToken)
    {
        var messageId = Guid.CreateVersion7(keyed.Now).ToString("N");
        var done = await store.WriteAsync(
            async write =>
            {
                if (await keyed.FindAsync(write) is { } earlier) return new Outcome(First: earlier);
                if (await open(write) is not { } id) return default;
                if (id.Length == 0) return new Outcome(IsBlocked: true);
                if (await write.QuerySingleOrDefaultAsync<Conversation>(Sql.Lock, new { Id = id, Me = keyed.UserId }) is not { } conversation) return default;

                var members = await write.QueryAsync<MemberRow>(Sql.Members, new { Id = id });
                if (members.FirstOrDefault(member => member.UserId == keyed.UserId) is not { } author) return default;
                if (conversation.Kind == "direct" && members.FirstOrDefault(member => member != author) is { } other
                    && await DirectConversation.IsBlockedAsync(write, keyed.UserId, other.UserId)) return new Outcome(IsBlocked: true);

                var message = new NormalisedMessage(messageId, id, author.Person(), content, conversation.LastPlace + 1, keyed.Now);
                var answer = JsonSerializer.SerializeToUtf8Bytes(new MessageAnswer(message), ConversationsJson.Answers.MessageAnswer);
                if (await keyed.KeepAsync(write, StatusCodes.Status201Created, answer, null) is { } first) return new Outcome(First: first);

                var row = new { message.Id, ConversationId = id, Place = message.Number, AuthorId = author.UserId, keyed.Now, Content = content };
                write.Enqueue(Sql.Count, row);
                write.Enqueue(Sql.Insert, row);
                write.Enqueue(Sql.ReadOwn, row);
                await write.AppendAsync(new MessageCreated(message, [.. members.Select(member => member.UserId)], keyed.Now) { ReceivedAt = receivedAt });
                foreach (var member in members.Where(member => member != author).OrderBy(member => member.UserId, StringComparer.Ordinal))
                {
                    await write.AddAsync(new NewInGroup(member.UserId, NotificationTypes.NewMessage, ReadConversation.GroupOf(id), [author.Person()], keyed.Now)
                    {
                        ConversationId = id,
                        Say = Sentences.Messages,
                    });
                }

                return new Outcome(answer);
            },
            cancellationToken);

        if (done.First is { } repeated) return keyed.Repeat(repeated);
        if (done.IsBlocked) return ConversationRules.Blocked();
        return done.Answer is null ? Problems.NotFound(what) : new JsonAnswer(StatusCodes.Status201Created, done.Answer);
    }

    private readonly record struct Outcome(byte[]? Answer = null, FirstAnswer? First = null, bool IsBlocked = false);

    private sealed record Conversation(string Kind, long LastPlace);

    private static class Sql
    {
        public const string User = "SELECT id FROM users WHERE id = @Id";

        public const string Lock = """
            SELECT c.kind AS Kind, c.last_place AS LastPlace
            FROM conversations c JOIN conversation_members m ON m.conversation_id = c.id AND m.user_id = @Me
            WHERE c.id = @Id /*FOR UPDATE OF c*/
            """;

        public const string Members =
            $"SELECT {MemberRow.Columns} FROM conversation_members m JOIN users u ON u.id = m.user_id WHERE m.conversation_id = @Id";

        public const string Count = "UPDATE conversations SET last_place = @Place, active_at = @Now WHERE id = @ConversationId";

        public const string Insert = """
            INSERT INTO messages (id, conversation_id, place, author_id, created_at, content)
            VALUES (@Id, @ConversationId, @Place, @AuthorId, @Now, @Content)
            """;

        // Who answers has read what came before.
        public const string ReadOwn = "UPDATE conversation_members SET read_place = @Place WHERE conversation_id = @ConversationId AND user_id = @AuthorId";
    }
}
