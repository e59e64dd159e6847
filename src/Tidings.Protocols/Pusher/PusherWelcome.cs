using System.Text.Json;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// What a subscriber is told before the channel's events: who is there, and the last event of a cache channel. The subscription is made
/// first and its events wait, so that nothing falls between what is read here and what comes live.
/// </summary>
internal sealed class PusherWelcome(PusherContext shared, Connection connection, PusherChannel channel, PresenceMember? self, bool isCached)
{
    /// <summary>Reads what is needed and says it.</summary>
    public async Task SayAsync(CancellationToken cancellationToken)
    {
        if (!await IsSubscribedAsync()) return;

        var members = self is null ? null : await shared.Engine.ReadPresenceAsync(channel.Channel, cancellationToken);
        var last = isCached ? await LastEvent.ReadAsync(shared.Engine, channel.Channel, channel.Position, cancellationToken) : null;
        if (isCached && last is null) shared.Listener?.CacheMissed(channel.Name.Text);
        connection.Shard.Post(() => Say(members, last));
    }

    /// <summary>Whether the engine has subscribed it; if so, once its member is known to the store.</summary>
    private Task<bool> IsSubscribedAsync()
    {
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        connection.Shard.Post(() =>
        {
            if (!channel.IsSubscribed || connection.IsClosing) done.TrySetResult(false);
            else if (self is null) done.TrySetResult(true);
            else shared.Engine.Home.WhenSettled(connection, channel.Channel, self.UserId, () => done.TrySetResult(true));
        });
        return done.Task;
    }

    /// <summary>On the connection's shard.</summary>
    private void Say(PresenceList? members, Publication? last)
    {
        var subscription = connection.SubscriptionTo(channel.Channel);
        if (connection.IsClosing || subscription?.State != channel) return;

        var held = channel.TakeHeld();
        var present = Present(members);
        connection.Queue(members is null
            ? PusherJson.Event("pusher_internal:subscription_succeeded", channel.Name.Text, "{}"u8)
            : PusherJson.Event("pusher_internal:subscription_succeeded", channel.Name.Text, json => WriteMembers(json, present)));
        if (held.Any(waiting => IsReplayed(waiting.Publication))) last = null; // a client that came back gets it among what it missed
        if (last is not null) PusherFormat.Write(connection, subscription, channel, (PusherPush)last.EncodingFor(connection.Format, PublicationForm.Open));
        else if (isCached && !held.Any(static waiting => waiting.Publication.Position.Exists))
            connection.Queue(PusherJson.Event("pusher:cache_miss", channel.Name.Text, "{}"u8));

        foreach (var (publication, push) in held)
            if (!publication.Draft.IsForMembers || Changes(present, publication)) PusherFormat.Write(connection, subscription, channel, push);
    }

    private bool IsReplayed(Publication publication) => publication.Position.Exists && publication.Position.Offset <= channel.Position.Offset;

    private Dictionary<string, ReadOnlyMemory<byte>> Present(PresenceList? members)
    {
        var present = new Dictionary<string, ReadOnlyMemory<byte>>(StringComparer.Ordinal);
        foreach (var member in members?.Members ?? []) present[member.UserId] = member.Info;
        if (self is not null) present.TryAdd(self.UserId, self.Info);
        return present;
    }

    private static void WriteMembers(Utf8JsonWriter json, Dictionary<string, ReadOnlyMemory<byte>> present)
    {
        json.WriteStartObject("presence"u8);
        json.WriteStartArray("ids"u8);
        foreach (var userId in present.Keys) json.WriteStringValue(userId);
        json.WriteEndArray();
        json.WriteStartObject("hash"u8);
        foreach (var (userId, info) in present)
        {
            json.WritePropertyName(userId);
            json.WriteRawValue(info.IsEmpty ? "null"u8 : info.Span, skipInputValidation: true);
        }

        json.WriteEndObject();
        json.WriteNumber("count"u8, present.Count);
        json.WriteEndObject();
    }

    /// <summary>Whether somebody's coming or going is news to the reader, who has just got the list.</summary>
    private static bool Changes(Dictionary<string, ReadOnlyMemory<byte>> present, Publication publication)
    {
        if (publication.Draft.Type is not (PresenceEvents.Joined or PresenceEvents.Left)) return false;
        using var document = JsonDocument.Parse(publication.Draft.Payload);
        var userId = document.RootElement.GetProperty("member").GetProperty("userId").GetString()!;
        return publication.Draft.Type == PresenceEvents.Joined ? present.TryAdd(userId, default) : present.Remove(userId);
    }
}
