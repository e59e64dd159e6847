using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime.Fanout;

/// <summary>Which readers of a channel a publication is for.</summary>
[Flags]
internal enum ReaderScope
{
    /// <summary>Subscriptions to the channel itself.</summary>
    Direct = 1,

    /// <summary>Feeds that the channel belongs to.</summary>
    Feeds = 2,
}

/// <summary>
/// One thread, in effect, that owns a share of the connections: their subscriptions, replies and pushes are touched only here, in the
/// order in which work was posted. What a batch of work queued for a connection is written together at its end.
/// </summary>
internal sealed partial class Shard : IDisposable
{
    private const int BatchLimit = 512;
    private const int LargestRun = 128 * 1024;

    private readonly Lock _lock = new();
    private readonly List<Connection> _connections = [];
    private readonly List<Connection> _touched = [];
    private readonly List<Publication> _run = [];
    private readonly ILogger _logger;
    private readonly RealtimeMetrics _metrics;
    private readonly RealtimeMetrics.ShardCounts _counts = new();
    private readonly Action _wake;
    private List<Work> _posted = [];
    private List<Work> _running = [];
    private int _postedCount;
    private bool _isAlone;
    private volatile bool _isStopping;

    public Shard(int index, EngineScheduler scheduler, RealtimeMetrics metrics, ILogger logger)
    {
        Index = index;
        _metrics = metrics;
        _logger = logger;
        _wake = scheduler.StartShard(this);
    }

    /// <summary>Its number: where channels keep this shard's readers.</summary>
    public int Index { get; }

    /// <summary>Whether it runs nothing any more.</summary>
    public bool IsStopping => _isStopping;

    /// <summary>How much waits to be run. Any thread.</summary>
    public int PostedCount => Volatile.Read(ref _postedCount);

    /// <summary>The feeds that somebody reads here.</summary>
    public Dictionary<ChannelName, FeedNode> Feeds { get; } = [];

    /// <summary>Room for bytes on their way out. Shard only.</summary>
    public WriteScratch Scratch { get; } = new();

    /// <summary>Which of the users whose home this is are in which channels. Set once, before any work.</summary>
    public ShardMembers Members { get; set; } = null!;

    /// <summary>How often the users whose home this is may say that they are typing. Set once, before any work.</summary>
    public TypingPace Typing { get; set; } = null!;

    /// <summary>The channels that have got or lost readers here since that was last told. Shard only.</summary>
    public HashSet<ChannelName> Changed { get; } = [];

    /// <summary>The subscriptions here that were granted for a time. Shard only.</summary>
    public ExpiringSubscriptions Expiring { get; } = new();

    /// <summary>The connections here. Shard only.</summary>
    public IReadOnlyList<Connection> Connections => _connections;

    /// <summary>Runs something on this shard, after what was posted before. Any thread.</summary>
    public void Post(Action action) => Post(new Work(action, null, null, default));

    /// <summary>Gives a publication to a channel's readers here. Any thread; the channel's lock orders the calls.</summary>
    public void Deliver(LiveChannel channel, Publication publication, ReaderScope scope) => Post(new Work(null, channel, publication, scope));

    /// <summary>Notes that a connection has something to write. Shard only.</summary>
    public void Touch(Connection connection)
    {
        if (connection.IsTouched) return;
        connection.IsTouched = true;
        _touched.Add(connection);
    }

    /// <summary>
    /// Called between the readers of some publications. If these are all that there is to do, nothing else can come to share a reader's write: each
    /// is written to while what belongs to it is at hand, and does not wait for the others. Shard only.
    /// </summary>
    public void FlushIfDue()
    {
        if (_isAlone || Scratch.IsFull) FlushTouched();
    }

    /// <summary>Takes a connection in. Shard only.</summary>
    public void Add(Connection connection)
    {
        connection.ShardIndex = _connections.Count;
        _connections.Add(connection);
        connection.Engine.Home.Connect(connection);
    }

    /// <summary>Lets a connection go. Shard only.</summary>
    public void Remove(Connection connection)
    {
        if (connection.ShardIndex < 0) return;
        var last = _connections[^1];
        _connections[connection.ShardIndex] = last;
        last.ShardIndex = connection.ShardIndex;
        _connections.RemoveAt(_connections.Count - 1);
        connection.ShardIndex = -1;
        connection.Engine.Home.Disconnect(connection);
    }

    /// <summary>Ends a subscription and everything that hangs on it. Shard only.</summary>
    public void EndSubscription(Subscription subscription)
    {
        if (subscription.HasEnded) return;
        subscription.End();
        subscription.Connection.Remove(subscription);
        subscription.Connection.Engine.Home.Vacate(subscription);
        subscription.Connection.Engine.ReaderChanges.Note(subscription.Channel, this);
        if (subscription.HasPresence) subscription.Connection.Engine.Home.Leave(subscription);

        if (!subscription.IsFeed)
        {
            subscription.Connection.Engine.Channels.Leave(subscription, this);
        }
        else if (Feeds.TryGetValue(subscription.Channel, out var feed))
        {
            feed.Leave(subscription);
        }
    }

    /// <summary>Counts a delivery. Shard only.</summary>
    public void CountDelivery(IWireFormat format, Publication publication) => _metrics.CountDelivery(_counts, format, publication);

    /// <summary>Runs what has been posted by now. The scheduler calls it, never twice at a time.</summary>
    /// <returns>False if there was nothing.</returns>
    public bool RunPosted()
    {
        if (!TakePosted()) return false;
        for (var start = 0; start < _running.Count; start += BatchLimit)
        {
            var end = Math.Min(start + BatchLimit, _running.Count);
            for (var index = start; index < end;)
            {
                var next = TakeRun(index, end);
                _isAlone = next - index == _running.Count;
                RunOne(_running[index]);
                FlushIfDue();
                index = next;
            }

            FlushTouched();
            Scratch.Forget();
            _metrics.FlushDeliveries(_counts);
        }

        _running.Clear();
        return true;
    }

    /// <inheritdoc />
    public void Dispose()
    {
        _isStopping = true;
        _wake();
    }

    private void Post(in Work work)
    {
        bool wake;
        lock (_lock)
        {
            _posted.Add(work);
            wake = ++_postedCount == 1;
        }

        if (wake) _wake();
    }

    private bool TakePosted()
    {
        lock (_lock)
        {
            if (_postedCount == 0) return false;
            _postedCount = 0;
            (_posted, _running) = (_running, _posted);
            return true;
        }
    }

    /// <summary>
    /// Takes the publications that follow each other in one channel together, so that its readers are walked through once. One that changes who
    /// reads is by itself.
    /// </summary>
    /// <returns>The index behind them.</returns>
    private int TakeRun(int index, int end)
    {
        _run.Clear();
        var (first, bytes) = (_running[index], 0);
        for (; index < end && bytes < LargestRun; index++)
        {
            var work = _running[index];
            if (work.Publication is not { } publication || work.Channel != first.Channel || work.Scope != first.Scope) break;
            if (publication.Draft.Effect is not null && _run.Count > 0) break;
            _run.Add(publication);
            bytes += publication.Draft.Payload.Length;
            if (publication.Draft.Effect is not null) return index + 1;
        }

        return _run.Count == 0 ? index + 1 : index;
    }

    private void RunOne(in Work work)
    {
        try
        {
            if (work.Action is { } action) action();
            else work.Channel!.DeliverOn(this, CollectionsMarshal.AsSpan(_run), work.Scope);
        }
#pragma warning disable CA1031 // One faulty piece of work must not end the thread that serves a share of all connections.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.WorkFailed(_logger, exception);
        }
    }

    private void FlushTouched()
    {
        foreach (var connection in _touched)
        {
            try
            {
                connection.Flush();
            }
#pragma warning disable CA1031 // As above: one faulty connection must not end the thread of the others.
            catch (Exception exception)
#pragma warning restore CA1031
            {
                Log.WorkFailed(_logger, exception);
                connection.Close(CloseReason.GoingAway(TimeSpan.FromSeconds(1))); // what it has not got it gets when it comes back
            }

            connection.IsTouched = false; // not before: what it queues while it is flushed is flushed with it
        }

        _touched.Clear();
        Scratch.Reset();
    }

    private readonly record struct Work(Action? Action, LiveChannel? Channel, Publication? Publication, ReaderScope Scope);

    private static partial class Log
    {
        [LoggerMessage(1001, LogLevel.Error, "A piece of fan-out work failed.")]
        public static partial void WorkFailed(ILogger logger, Exception exception);
    }
}
