using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Realtime;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Notifications;

/// <summary>
/// Notifies a user of what the host app's backend says. A request with an <c>Idempotency-Key</c>, or with an <c>id</c> in its body, is
/// repeated safely. A user who has muted the type is not notified: then the answer's notification is null.
/// </summary>
internal static class NotifyFromBackend
{
    /// <summary>Whose keys these are: no user has this id.</summary>
    private const string Backend = "";

    private const int MaxTitle = 200;
    private const int MaxMessage = 1_000;
    private const int MaxData = 4 * 1024;
    private const int MaxBody = 32 * 1024;

    public sealed record Request
    {
        public string? Id { get; init; }
        public string? Type { get; init; }
        public string? Title { get; init; }
        public string? Message { get; init; }
        public JsonElement Data { get; init; }
    }

    public static async Task<IResult> HandleAsync(string id, HttpRequest http, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (!ChannelName.IsId(id)) return BackendProblems.NotAUser();
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;
        var body = await RequestJson.ReadAsync(http, NotificationsRequestJson.Strict.NotifyFromBackend, MaxBody, withFingerprint: true, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = Check(request, out var data);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var now = clock.GetUtcNow();
        key ??= request.Id is { } own ? $"notifications:{id} {own}" : null;
        var keyed = new KeyedRequest(Backend, key, body.Fingerprint, now);
        var told = new NewNotification(id, request.Type!, request.Title!, request.Message!, data, now) { Id = Guid.CreateVersion7(now).ToString("N") };
        var (first, answer) = await store.WriteAsync<(FirstAnswer?, byte[]?)>(
            async write =>
            {
                if (await keyed.FindAsync(write) is { } earlier) return (earlier, null);
                if (await write.QuerySingleOrDefaultAsync<string>(Sql.User, new { Id = id }) is null) return (null, null);

                // A key's row is locked before a user's box, by everybody; so what is kept is made complete only when it is known.
                if (await keyed.KeepAsync(write, StatusCodes.Status201Created, [], null) is { } twin) return (twin, null);
                var notification = await write.AddAsync(told);
                var answer = JsonSerializer.SerializeToUtf8Bytes(new NotificationAnswer(notification), NotificationsJson.Answers.NotificationAnswer);
                if (keyed.Key is not null) await write.CompleteAsync(Backend, keyed.Key, answer);
                return (null, answer);
            },
            cancellationToken);

        if (first is not null) return keyed.Repeat(first);
        return answer is null ? Problems.NotFound("user") : new JsonAnswer(StatusCodes.Status201Created, answer);
    }

    private static Dictionary<string, string[]> Check(Request request, out byte[] data)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (!NotificationTypes.IsType(request.Type))
            errors["type"] = [$"A type is one of {NotificationTypes.Ours[0]}, {NotificationTypes.Ours[1]} and so on, or a name of your own: A-Z 0-9 _, at most {NotificationTypes.MaxLength}."];
        if (string.IsNullOrWhiteSpace(request.Title)) errors["title"] = ["This is required."];
        if (string.IsNullOrWhiteSpace(request.Message)) errors["message"] = ["This is required."];
        FieldRules.Text("title", request.Title, MaxTitle, errors);
        FieldRules.Text("message", request.Message, MaxMessage, errors);
        if (request.Id is { } id && (id.Length is 0 or > 128 || !id.All(character => character is > ' ' and <= '~')))
            errors["id"] = ["An id has 1 to 128 printable ASCII characters without spaces."];

        data = "{}"u8.ToArray();
        if (request.Data.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null) return errors;
        if (request.Data.ValueKind != JsonValueKind.Object) errors["data"] = ["This must be an object."];
        else if (!TryWrite(request.Data, out data)) errors["data"] = ["A text in it is not Unicode."];
        else if (data.Length > MaxData) errors["data"] = [$"This may have at most {MaxData} bytes."];
        return errors;
    }

    private static bool TryWrite(JsonElement data, out byte[] written)
    {
        try
        {
            written = NotificationsJson.Write(data, NotificationsJson.Answers.JsonElement);
            return true;
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException)
        {
            written = [];
            return false;
        }
    }

    private static class Sql
    {
        public const string User = "SELECT id FROM users WHERE id = @Id";
    }
}
