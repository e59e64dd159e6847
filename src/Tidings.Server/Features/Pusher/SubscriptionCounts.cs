using System.Text.Json;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// Tells the readers of channels with Pusher's names, and the host app by its webhooks, how many they are when that changes: within about a second, and
/// above a hundred at most every five. A node tells of the changes that happen on it, for all nodes.
/// </summary>
/// <param name="tellsReaders">Whether readers are told; otherwise the webhooks alone.</param>
/// <param name="engine">Tells of changes, and publishes.</param>
/// <param name="readers">Counts.</param>
/// <param name="webhooks">Who else is told; null for nobody.</param>
/// <param name="logger">Where faults are told.</param>
internal sealed partial class SubscriptionCounts(
    bool tellsReaders, RealtimeEngine engine, IReaderCounts readers, PusherWebhooks? webhooks, ILogger<SubscriptionCounts> logger) : BackgroundService
{
    /// <summary>The event by which readers are told, and the name of the count in it.</summary>
    public const string Event = "pusher_internal:subscription_count";

    private const int Many = 100;

    /// <summary>What another node counts arrives here up to two seconds later: so long a count is looked at again.</summary>
    private const int Looks = 3;

    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan IntervalOfMany = TimeSpan.FromSeconds(5);

    private readonly Lock _lock = new();
    private readonly HashSet<ChannelName> _changed = [];
    private readonly Dictionary<ChannelName, Counted> _counted = [];

    /// <inheritdoc />
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        engine.ReaderChanges.Told += Note;
        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc />
    public override Task StopAsync(CancellationToken cancellationToken)
    {
        engine.ReaderChanges.Told -= Note;
        return base.StopAsync(cancellationToken);
    }

    /// <inheritdoc />
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, engine.Clock);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await LookAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is not OperationCanceledException)
            {
                Log.NotCounted(logger, exception);
            }
        }
    }

    /// <summary>On a shard.</summary>
    private void Note(IReadOnlyCollection<ChannelName> channels)
    {
        lock (_lock)
            foreach (var channel in channels)
                if (channel.IsForeign && !new PusherName(channel.Value).IsPresence) _changed.Add(channel);
    }

    private async Task LookAsync(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            foreach (var channel in _changed)
            {
                if (!_counted.TryGetValue(channel, out var counted)) _counted[channel] = counted = new Counted();
                counted.LooksLeft = Looks;
            }

            _changed.Clear();
        }

        var now = engine.Clock.GetTimestamp();
        var due = _counted.Where(each => !each.Value.IsPaced(engine.Clock.GetElapsedTime(each.Value.ToldAt, now))).Select(static each => each.Key).ToList();
        if (due.Count == 0) return;
        var counts = await readers.CountAsync(due, cancellationToken);
        for (var index = 0; index < due.Count; index++)
        {
            var counted = _counted[due[index]];
            if (counted.Count != counts[index])
            {
                (counted.Count, counted.ToldAt) = (counts[index], now);
                Tell(due[index], counts[index]);
            }

            if (--counted.LooksLeft == 0) _counted.Remove(due[index]); // what it was is not what it is when others have changed it since
        }
    }

    private void Tell(ChannelName channel, int count)
    {
        webhooks?.SubscriptionsCounted(channel.Value, count);
        if (!tellsReaders) return;
        var now = engine.Clock.GetUtcNow();
        engine.Publisher.PublishPassing(new PublicationDraft
        {
            Channel = channel,
            Type = Event,
            Id = Guid.CreateVersion7(now).ToString("N"),
            Timestamp = now,
            Payload = PusherJson.Object(json => json.WriteNumber(ChannelFacts.SubscriptionCount, count)).ToArray(),
        });
    }

    /// <summary>A channel whose readers have changed a moment ago.</summary>
    private sealed class Counted
    {
        /// <summary>How many were told of; none yet if negative.</summary>
        public int Count { get; set; } = -1;

        /// <summary>When.</summary>
        public long ToldAt { get; set; }

        /// <summary>How often it is still looked at.</summary>
        public int LooksLeft { get; set; }

        /// <summary>Whether it has to wait, since there are many to tell.</summary>
        public bool IsPaced(TimeSpan sinceTold) => Count > Many && sinceTold < IntervalOfMany;
    }

    private static partial class Log
    {
        [LoggerMessage(1311, LogLevel.Warning, "The readers of channels could not be counted; it is tried again when they change.")]
        public static partial void NotCounted(ILogger logger, Exception exception);
    }
}
