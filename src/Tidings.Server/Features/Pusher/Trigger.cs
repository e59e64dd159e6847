using System.Text;
using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Features.Pusher;

/// <summary>One event of the HTTP API, checked: it goes to each of its channels, or to none if something is wrong with it.</summary>
/// <param name="Publications">One for each channel.</param>
/// <param name="Names">The channels as the request spells them.</param>
/// <param name="Info">What it wants to be told of each channel.</param>
internal sealed record Trigger(IReadOnlyList<PublicationDraft> Publications, IReadOnlyList<PusherName> Names, IReadOnlySet<string> Info)
{
    private const int MaxChannels = 100;
    private const int MaxName = 200;
    private const int MaxData = 10 * 1024;

    /// <summary>What is wrong with an event.</summary>
    /// <param name="Status">The status to answer.</param>
    /// <param name="Message">What to say.</param>
    public sealed record Mistake(int Status, string Message);

    /// <summary>Reads an event of a request or of a batch.</summary>
    /// <returns>Null, or what is wrong with it.</returns>
    public static Mistake? TryRead(JsonElement json, ChannelCatalog catalog, DateTimeOffset now, long receivedAt, out Trigger? trigger)
    {
        trigger = null;
        if (json.ValueKind != JsonValueKind.Object) return new(400, "An event must be an object.");
        if (TextOf(json, "name") is not { Length: > 0 and <= MaxName } name || name.Any(char.IsControl)) return new(400, $"name must have 1 to {MaxName} characters.");
        if (name.StartsWith("pusher:", StringComparison.Ordinal) || name.StartsWith("pusher_internal:", StringComparison.Ordinal))
            return new(400, "Names that begin with pusher: or pusher_internal: are the protocol's own.");
        if (DataOf(json) is not { } data) return new(400, "data must be a string.");
        if (Encoding.UTF8.GetByteCount(data) > MaxData) return new(413, $"data may have at most {MaxData} bytes.");
        var socketId = TextOf(json, "socket_id");
        if (json.TryGetProperty("socket_id", out var given) && given.ValueKind != JsonValueKind.Null && (socketId is null || !SocketId.Is(socketId)))
            return new(400, "socket_id is not the id of a connection.");

        if (ChannelsOf(json) is not { Count: > 0 } channels) return new(400, "channels must be an array of names, or channel one.");
        if (channels.Count > MaxChannels) return new(400, $"An event may go to at most {MaxChannels} channels.");
        if (channels.Count > 1 && channels.Any(static channel => new PusherName(channel).IsEncrypted)) return new(400, "An encrypted event may go to one channel only.");

        var drafts = new List<PublicationDraft>();
        foreach (var text in channels)
        {
            if (new PusherName(text).Find(catalog, out var channel) != ChannelNameError.None) return new(400, $"'{text}' is not the name of a channel.");
            if (!TryMakePayload(catalog, channel!, name, data, out var payload)) return new(400, $"The data of an event on '{text}' must be an object: its fields stand beside our own.");
            drafts.Add(new PublicationDraft
            {
                Channel = channel!,
                Type = name,
                Id = Guid.CreateVersion7(now).ToString("N"),
                Timestamp = now,
                Payload = payload,
                ExcludedConnectionId = socketId,
                ReceivedAt = receivedAt,
            });
        }

        trigger = new Trigger(drafts, [.. channels.Select(static text => new PusherName(text))], InfoOf(json));
        return null;
    }

    private static string? TextOf(JsonElement json, string field) =>
        json.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>The data as text; what is no string, as some send it, as its JSON.</summary>
    private static string? DataOf(JsonElement json) => !json.TryGetProperty("data", out var data) || data.ValueKind == JsonValueKind.Null
        ? null
        : data.ValueKind == JsonValueKind.String ? data.GetString() : data.GetRawText();

    /// <summary>The channels, each once.</summary>
    private static List<string>? ChannelsOf(JsonElement json)
    {
        if (TextOf(json, "channel") is { } one) return [one];
        if (!json.TryGetProperty("channels", out var list) || list.ValueKind != JsonValueKind.Array) return null;
        if (list.EnumerateArray().Any(static item => item.ValueKind != JsonValueKind.String)) return null;
        return [.. list.EnumerateArray().Select(static item => item.GetString()!).Distinct(StringComparer.Ordinal)];
    }

    private static HashSet<string> InfoOf(JsonElement json) =>
        (TextOf(json, "info") ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).ToHashSet(StringComparer.Ordinal);

    /// <summary>
    /// JSON stays as it is, so that clients of every protocol get it as such and those of Pusher the same text; any other text, and text in quotes,
    /// becomes a JSON string, which Pusher's clients get as the text that it was.
    /// </summary>
    private static bool TryMakePayload(ChannelCatalog catalog, ChannelName channel, string name, string data, out byte[] payload)
    {
        payload = Encoding.UTF8.GetBytes(data);
        if (catalog.IsFlat(channel, name)) return FlatPayload.TryMake(payload, out payload);
        if (payload is not ([] or [(byte)'"' or (byte)' ' or (byte)'\t', ..]) && JsonLine.Is(payload)) return true;
        payload = JsonSerializer.SerializeToUtf8Bytes(data, Relaxed);
        return true;
    }

    private static readonly JsonSerializerOptions Relaxed = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
}
