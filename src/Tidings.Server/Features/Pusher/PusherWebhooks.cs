using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// Tells the host app what happens in channels of Pusher's names, as Pusher's webhooks do. Of several nodes one tells of each thing: who comes and
/// goes is decided in the presence store, the rest happens on one node.
/// </summary>
internal sealed class PusherWebhooks(TidingsOptions options, PusherApp app, TimeProvider clock, ILogger<WebhookCaller> logger)
    : IChannelWatcher, IPusherListener, IHostedService, IAsyncDisposable
{
    private const string Occupancy = "channel_occupied";
    private const string Vacancy = "channel_vacated";
    private const string Arrival = "member_added";
    private const string Departure = "member_removed";
    private const string ClientEvent = "client_event";
    private const string CacheMiss = "cache_miss";

    /// <summary>For which readers have to be counted.</summary>
    public const string SubscriptionCount = "subscription_count";

    /// <summary>How long one missing event of a channel stands for all.</summary>
    private static readonly TimeSpan MissBurst = TimeSpan.FromSeconds(10);

    private readonly List<(WebhookOptions Options, WebhookCaller Caller)> _callers =
        [.. options.Webhooks.Select(webhook => (webhook, new WebhookCaller(webhook.Url, app, clock, logger)))];

    private readonly BoundedCache<string, long> _missedAt = new(10_000);

    /// <summary>What a host can be told of.</summary>
    public static IReadOnlyList<string> EventNames { get; } = [Occupancy, Vacancy, Arrival, Departure, ClientEvent, CacheMiss, SubscriptionCount];

    /// <summary>What a host is told of that does not say: all but counts, which come whenever somebody comes or goes.</summary>
    public static IReadOnlyList<string> UsualNames { get; } = [Occupancy, Vacancy, Arrival, Departure, ClientEvent, CacheMiss];

    /// <inheritdoc />
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>What waits is given up with the process; what is being sent is not waited for longer than the host waits.</summary>
    public async Task StopAsync(CancellationToken cancellationToken)
    {
        foreach (var (_, caller) in _callers) await caller.StopAsync();
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        foreach (var (_, caller) in _callers) await caller.DisposeAsync();
    }

    /// <inheritdoc />
    public void Joined(ChannelName channel, PresenceMember member) => Tell(Arrival, channel.Value, json => json.WriteString("user_id"u8, member.UserId));

    /// <inheritdoc />
    public void Left(ChannelName channel, PresenceMember member) => Tell(Departure, channel.Value, json => json.WriteString("user_id"u8, member.UserId));

    /// <inheritdoc />
    public void Occupied(string channel) => Tell(Occupancy, channel, static _ => { });

    /// <inheritdoc />
    public void Vacated(string channel) => Tell(Vacancy, channel, static _ => { });

    /// <inheritdoc />
    public void ClientEventSent(string channel, string name, string data, string socketId, string? userId) => Tell(ClientEvent, channel, json =>
    {
        json.WriteString("event"u8, name);
        json.WriteString("data"u8, data);
        json.WriteString("socket_id"u8, socketId);
        if (userId is not null) json.WriteString("user_id"u8, userId);
    });

    /// <inheritdoc />
    public void CacheMissed(string channel)
    {
        var now = clock.GetTimestamp();
        if (_missedAt.TryGet(channel, out var before) && clock.GetElapsedTime(before, now) < MissBurst) return;
        _missedAt.Set(channel, now);
        Tell(CacheMiss, channel, static _ => { });
    }

    /// <summary>How many read a channel has changed.</summary>
    public void SubscriptionsCounted(string channel, int count) => Tell(SubscriptionCount, channel, json => json.WriteNumber("subscription_count"u8, count));

    private void Tell(string name, string channel, Action<Utf8JsonWriter> write)
    {
        if (!_callers.Any(each => each.Options.Events.Contains(name))) return;
        var happened = PusherJson.Object(json =>
        {
            json.WriteString("name"u8, name);
            json.WriteString("channel"u8, channel);
            write(json);
        }).ToArray();
        foreach (var (webhook, caller) in _callers)
            if (webhook.Events.Contains(name)) caller.Add(happened);
    }
}
