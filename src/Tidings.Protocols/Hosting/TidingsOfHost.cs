using System.Text.Json;
using Microsoft.AspNetCore.Http.Json;
using Microsoft.Extensions.Options;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Hosting;

/// <summary>The engine as a host sees it: names are text, data is whatever the host can write as JSON.</summary>
internal sealed class TidingsOfHost(RealtimeEngine engine, IOptions<JsonOptions> json) : ITidings
{
    private const int MaxNameLength = 128;
    private const int MaxDataBytes = 64 * 1024;

    private readonly JsonSerializerOptions _json = new(json.Value.SerializerOptions) { WriteIndented = false };

    /// <inheritdoc />
    public int ConnectionCount => engine.ConnectionCount;

    /// <inheritdoc />
    public async ValueTask<PublishedEvent> PublishAsync<T>(
        string channel, string eventType, T data, string? id, string? exceptConnectionId, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(eventType);
        var name = Parse(channel);
        if (eventType.Length is 0 or > MaxNameLength || !eventType.All(static character => character is > ' ' and <= '~'))
            throw new ArgumentException($"An event's name has 1 to {MaxNameLength} printable ASCII characters without spaces.", nameof(eventType));
        if (engine.Catalog.IsReserved(eventType)) throw new ArgumentException($"'{eventType}' is the engine's own.", nameof(eventType));
        if (id is not null && (id.Length is 0 or > MaxNameLength || !id.All(static character => character is >= ' ' and <= '~')))
            throw new ArgumentException($"An id has 1 to {MaxNameLength} printable ASCII characters.", nameof(id));

        var now = engine.Clock.GetUtcNow();
        var published = await engine.Publisher.PublishAsync(
            new PublicationDraft
            {
                Channel = name,
                Type = eventType,
                Id = id ?? Guid.CreateVersion7(now).ToString("N"),
                Timestamp = now,
                Payload = Write(data, engine.Catalog.IsFlat(name, eventType)),
                ExcludedConnectionId = exceptConnectionId,
                ReceivedAt = engine.Clock.GetTimestamp(),
            },
            cancellationToken);
        return new PublishedEvent(published.Draft.Id, published.Position.Exists ? published.Position.ToString() : null);
    }

    /// <inheritdoc />
    public ValueTask<PresenceList> ReadPresenceAsync(string channel, CancellationToken cancellationToken) =>
        engine.ReadPresenceAsync(Parse(channel), cancellationToken);

    /// <inheritdoc />
    public Task<int> CountSubscribersAsync(string channel) => engine.CountSubscribersAsync(Parse(channel));

    /// <inheritdoc />
    public Task<int> RevokeAsync(string channel, string? userId) => engine.RevokeAsync(Parse(channel), userId);

    /// <inheritdoc />
    public int Disconnect(string userId)
    {
        ArgumentNullException.ThrowIfNull(userId);
        return engine.Disconnect(userId, sessionId: null, CloseReason.Disconnected);
    }

    /// <inheritdoc />
    public void RereadMember(string userId) => engine.RereadMember(userId);

    private ChannelName Parse(string channel)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return engine.Catalog.Parse(channel, out var name) switch
        {
            ChannelNameError.None => name!,
            ChannelNameError.UnknownKind => throw new ArgumentException(
                $"'{channel}' is of a kind that was not added: call tidings.Channel for it in AddTidings.", nameof(channel)),
            _ => throw new ArgumentException("This is not the name of a channel, which is kind:id.", nameof(channel)),
        };
    }

    private byte[] Write<T>(T data, bool isFlat)
    {
        var payload = JsonSerializer.SerializeToUtf8Bytes(data, _json);
        if (payload.AsSpan().IndexOfAny((byte)'\n', (byte)'\r') >= 0) // a converter of the host's wrote text of its own; ours is on one line
            payload = JsonSerializer.SerializeToUtf8Bytes(JsonSerializer.Deserialize<JsonElement>(payload));
        if (isFlat && !FlatPayload.TryMake(payload, out payload)) throw new ArgumentException("The data of this event must be an object.", nameof(data));
        return payload.Length <= MaxDataBytes ? payload : throw new ArgumentException($"The data of an event may have at most {MaxDataBytes} bytes.", nameof(data));
    }
}
