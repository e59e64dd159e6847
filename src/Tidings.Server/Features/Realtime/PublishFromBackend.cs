using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Realtime;

/// <summary>
/// Publishes what the host app's backend says, to any channel. A publication with an <c>id</c> is repeated safely: the id is kept
/// before it is published, in the same transaction if the channel is durable, and a repetition gets the first answer for 24 hours. If
/// the process dies between the two in a channel that is not durable, the event is lost, as events there are then.
/// </summary>
internal static class PublishFromBackend
{
    /// <summary>Whose keys the ids are: no user has this id.</summary>
    private const string Backend = "";

    private const int MaxName = 128;
    private const int MaxData = 64 * 1024;
    private const int MaxBody = MaxData + 8 * 1024;

    public sealed record Request
    {
        public string? Channel { get; init; }
        public string? Event { get; init; }
        public JsonElement Data { get; init; }
        public string? Id { get; init; }
        public string? ExcludeConnectionId { get; init; }
    }

    /// <summary>What the backend gets: <paramref name="Position"/> is absent in channels without history.</summary>
    public sealed record Answer(string Id, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Position);

    /// <summary>What is wrong with one field of a publication.</summary>
    public sealed record Mistake(string Field, string Message, bool IsUnknownChannel = false)
    {
        public IResult ToProblem() =>
            IsUnknownChannel ? Problems.Problem(404, "unknown_channel", Message) : Problems.Invalid(Field, Message);
    }

    public static async Task<IResult> HandleAsync(
        HttpRequest http, RealtimeEngine engine, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var body = await RequestJson.ReadAsync(http, PublishJson.Strict.Request, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var errors = Check(request);
        if (errors.Count > 0) return Problems.Invalid(errors);

        return TryDraft(request, engine.Catalog, clock.GetUtcNow(), receivedAt, out var draft) is { } mistake
            ? mistake.ToProblem()
            : new JsonAnswer(200, await PublishAsync(draft!, isRepeatable: request.Id is not null, engine, store, cancellationToken));
    }

    /// <summary>What is wrong with the fields alone, by name.</summary>
    public static Dictionary<string, string[]> Check(Request request)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (request.Channel is null) errors["channel"] = ["This is required."];
        if (request.Event is not { Length: > 0 and <= MaxName } name || !name.All(character => character is > ' ' and <= '~'))
            errors["event"] = [$"An event's name has 1 to {MaxName} printable ASCII characters without spaces."];
        if (request.Id is { } id && (id.Length is 0 or > MaxName || !id.All(character => character is >= ' ' and <= '~')))
            errors["id"] = [$"An id has 1 to {MaxName} printable ASCII characters."];
        if (request.ExcludeConnectionId is { Length: > MaxName }) errors["excludeConnectionId"] = [$"This may have at most {MaxName} characters."];
        return errors;
    }

    /// <summary>Makes a draft of a request whose fields are good.</summary>
    /// <returns>Null, or what is wrong with its channel or its data.</returns>
    public static Mistake? TryDraft(Request request, ChannelCatalog catalog, DateTimeOffset now, long receivedAt, out PublicationDraft? draft)
    {
        draft = null;
        var isNamed = catalog.ParseAny(request.Channel, out var channel);
        if (isNamed == ChannelNameError.UnknownKind) return new Mistake("channel", "There is no such kind of channel.", IsUnknownChannel: true);
        if (isNamed != ChannelNameError.None || channel is null) return new Mistake("channel", "This is not the name of a channel.");
        if (!TryWritePayload(request.Data, catalog.IsFlat(channel, request.Event!), out var payload, out var wrong)) return new Mistake("data", wrong);

        draft = new PublicationDraft
        {
            Channel = channel,
            Type = request.Event!,
            Id = request.Id ?? Guid.CreateVersion7(now).ToString("N"),
            Timestamp = now,
            Payload = payload,
            ExcludedConnectionId = request.ExcludeConnectionId,
            ReceivedAt = receivedAt,
        };
        return null;
    }

    /// <summary>Publishes a draft; one whose id is the backend's own, once.</summary>
    /// <returns>The answer as JSON.</returns>
    public static async Task<byte[]> PublishAsync(
        PublicationDraft draft, bool isRepeatable, RealtimeEngine engine, Store store, CancellationToken cancellationToken) => isRepeatable
        ? await PublishOnceAsync(draft, engine.Catalog.RulesOf(draft.Channel).Durable, engine, store, cancellationToken)
        : Write(await engine.Publisher.PublishAsync(draft, cancellationToken));

    private static async Task<byte[]> PublishOnceAsync(
        PublicationDraft draft, bool isDurable, RealtimeEngine engine, Store store, CancellationToken cancellationToken)
    {
        var key = $"{draft.Channel.Value} {draft.Id}"; // a channel's name has no space, so this is one key per pair
        var answer = JsonSerializer.SerializeToUtf8Bytes(new Answer(draft.Id, null), PublishJson.Default.Answer);
        var done = await store.CommitAsync(
            async write =>
            {
                var kept = new FirstAnswer { RequestHash = [0], Status = StatusCodes.Status200OK, Body = answer };
                if (await write.KeepFirstAsync(Backend, key, draft.Timestamp, kept) is { } first) return first.Body;
                if (isDurable) write.Append(draft);
                return null;
            },
            cancellationToken);
        if (done.Result is { } earlier) return earlier;

        try
        {
            // The position is known only now. Until it is kept, a repetition gets the answer without it.
            answer = Write(isDurable ? done.Publications[0] : await engine.Publisher.PublishAsync(draft, cancellationToken));
        }
        catch
        {
            await store.WriteAsync(write => write.ReleaseAsync(Backend, key), CancellationToken.None);
            throw;
        }

        await store.WriteAsync(write => write.CompleteAsync(Backend, key, answer), cancellationToken);
        return answer;
    }

    private static byte[] Write(Publication published) => JsonSerializer.SerializeToUtf8Bytes(
        new Answer(published.Draft.Id, published.Position.Exists ? published.Position.ToString() : null), PublishJson.Default.Answer);

    /// <summary>Takes the data as it is, on one line; for a flat event as an object without the names that are ours.</summary>
    private static bool TryWritePayload(JsonElement data, bool isFlat, out byte[] payload, out string wrong)
    {
        wrong = "";
        if (!TryWrite(data, out payload))
        {
            wrong = "A text in it is not Unicode: it has half of a surrogate pair.";
            return false;
        }

        if (isFlat && !FlatPayload.TryMake(data.ValueKind == JsonValueKind.Undefined ? "{}"u8.ToArray() : payload, out payload))
        {
            wrong = "The data of this event must be an object: its fields stand beside our own.";
            return false;
        }

        if (payload.Length <= MaxData) return true;
        wrong = $"This may have at most {MaxData} bytes.";
        return false;
    }

    private static bool TryWrite(JsonElement data, out byte[] payload)
    {
        payload = [];
        var bytes = new ArrayBufferWriter<byte>();
        try
        {
            using var writer = new Utf8JsonWriter(bytes, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, MaxDepth = 64 });
            if (data.ValueKind == JsonValueKind.Undefined) writer.WriteNullValue();
            else data.WriteTo(writer);
        }
        catch (InvalidOperationException)
        {
            return false;
        }

        payload = bytes.WrittenSpan.ToArray();
        return true;
    }
}

/// <summary>The shapes of a publication from a backend.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(PublishFromBackend.Request))]
[JsonSerializable(typeof(PublishFromBackend.Answer))]
[JsonSerializable(typeof(PublishBatch.Request), TypeInfoPropertyName = "PublishBatchRequest")]
[JsonSerializable(typeof(PublishToUser.Request), TypeInfoPropertyName = "PublishToUserRequest")]
[JsonSerializable(typeof(DisconnectUser.Request), TypeInfoPropertyName = "DisconnectUserRequest")]
[JsonSerializable(typeof(RevokeSubscription.Request), TypeInfoPropertyName = "RevokeSubscriptionRequest")]
internal sealed partial class PublishJson : JsonSerializerContext
{
    public static PublishJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
