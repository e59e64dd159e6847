using Microsoft.Extensions.Logging;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;
using Tidings.Realtime.Publishing;
using Tidings.Realtime.Returning;
using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime;

/// <summary>The engine: connections in, publications through. Safe for all threads.</summary>
internal sealed partial class RealtimeEngine : IAsyncDisposable
{
    private const int TicksBetweenRetirals = 10;

    private static readonly TimeSpan TickInterval = TimeSpan.FromSeconds(1);

    private readonly RealtimeDependencies _dependencies;
    private readonly ConnectionTable _connections;
    private readonly ILogger _logger;
    private readonly ITimer _timer;
    private int _nextShard;
    private int _ticks;
    private volatile bool _isClosing;
    private volatile bool _isSuspended;

    /// <summary>Makes an engine. Nothing is delivered before <see cref="StartAsync"/>.</summary>
    public RealtimeEngine(RealtimeOptions options, RealtimeDependencies dependencies)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentNullException.ThrowIfNull(dependencies);
        Options = options;
        _dependencies = dependencies;
        _logger = dependencies.Loggers.CreateLogger<RealtimeEngine>();
        _connections = new ConnectionTable(options.ConnectionsPerUser);
        Outbound = new OutboundBudget(options.TotalOutboundBytes);
        Revoked = new RecentRevocations(dependencies.Clock);
        EndedSignIns = new EndedSignIns(dependencies.Clock);
        Channels = new ChannelTable(this);
        Fanout = dependencies.DurableLog is IConcurrentEventLog concurrent ? new ConcurrentFanout(this, concurrent) : new SequencedFanout(this, _logger);
        Metrics = new RealtimeMetrics(dependencies.Clock, () => Channels.Count, () => Outbound.Taken);
        Publisher = new Publisher(dependencies.Catalog, dependencies.DurableLog, dependencies.Clock, dependencies.Broker, Metrics);
        Shards = [.. Enumerable.Range(0, options.Shards).Select(index => new Shard(index, Scheduler, Metrics, _logger))];
        Members = new ChannelMembers(this, dependencies.PresenceStore ?? new MemoryPresenceStore(dependencies.Clock));
        Home = new HomeMembers(this);
        foreach (var shard in Shards) (shard.Members, shard.Typing) = (new ShardMembers(shard, this), new TypingPace(dependencies.Clock));
        Returning = new ReturningReaders(this, dependencies.ReaderMemory ?? new InProcessReaderMemory(options.ReturnWindow, dependencies.Clock));
        Bus = new BusEnd(this, dependencies.Broker, Publisher.Memory, Publisher.OwnStreams);
        dependencies.Broker.DeliverTo(Bus);
        _timer = dependencies.Clock.CreateTimer(_ => Tick(), null, TickInterval, TickInterval);
    }

    /// <summary>The limits and times.</summary>
    public RealtimeOptions Options { get; }

    /// <summary>The kinds of channels.</summary>
    public ChannelCatalog Catalog => _dependencies.Catalog;

    /// <summary>What it counts.</summary>
    public RealtimeMetrics Metrics { get; }

    /// <summary>Where publications enter.</summary>
    public Publisher Publisher { get; }

    /// <summary>Whether it takes connections.</summary>
    public bool IsOpen => !_isClosing && !_isSuspended;

    /// <summary>Which channels have got or lost readers here.</summary>
    public ReaderChanges ReaderChanges { get; } = new();

    /// <summary>How many connections are open.</summary>
    public int ConnectionCount => _connections.Count;

    /// <summary>The clock.</summary>
    public TimeProvider Clock => _dependencies.Clock;

    /// <summary>This node's end of the bus.</summary>
    internal BusEnd Bus { get; }

    internal IBroker Broker => _dependencies.Broker;

    internal IChannelListener? Listener => _dependencies.Listener;

    internal ReturningReaders Returning { get; }

    internal OutboundBudget Outbound { get; }

    internal RecentRevocations Revoked { get; }

    internal EndedSignIns EndedSignIns { get; }

    internal ChannelTable Channels { get; }

    internal Fanout.Fanout Fanout { get; }

    internal Shard[] Shards { get; }

    internal ChannelMembers Members { get; }

    internal HomeMembers Home { get; }

    internal ConnectionTable Connections => _connections;

    internal IMemberInfo MemberInfo => _dependencies.MemberInfo ?? NoMemberInfo.Instance;

    internal IChannelWatcher? Watcher => _dependencies.Watcher;

    internal IChannelGreeting? Greeting => _dependencies.Greeting;

    internal EngineScheduler Scheduler => _dependencies.Scheduler;

    internal IDurableEventLog DurableLog => _dependencies.DurableLog;

    internal IFeedSources FeedSources => _dependencies.FeedSources;

    internal IConnectionAuthenticator Authenticator => _dependencies.Authenticator;

    /// <summary>Finds out where the durable log stands. To be called before connections are taken.</summary>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        await Fanout.StartAsync(cancellationToken).ConfigureAwait(false);
        if (Listener is not { } listener) return;
        Channels.Reserve(listener.Channel, 0); // for good: the listener is its reader
        var listening = KeepListeningAsync();
        if (!Broker.HasOthers) await listening.WaitAsync(cancellationToken).ConfigureAwait(false); // a bus may be out of reach
    }

    /// <summary>
    /// Looks for what was committed and has not arrived here, and delivers it. To be called every few seconds where several nodes share a
    /// log, and when a broker has been out of reach. Throws when the log is.
    /// </summary>
    public Task CatchUpAsync() => Fanout.CatchUpAsync();

    /// <summary>
    /// Opens a connection for a client that has been authenticated, and sends <see cref="ConnectedMessage"/> as its first message.
    /// </summary>
    /// <param name="identity">Who it is.</param>
    /// <param name="format">How messages become bytes.</param>
    /// <param name="transport">Where the bytes go.</param>
    /// <param name="protocolState">The wire format's own.</param>
    /// <param name="refusal">Why it was refused, when the answer is null.</param>
    /// <param name="id">Its id, where the protocol has a form of its own for it; null for one that the engine makes.</param>
    public Connection? TryConnect(
        ClientIdentity identity, IWireFormat format, ITransport transport, object? protocolState, out CloseReason? refusal, string? id = null)
    {
        ArgumentNullException.ThrowIfNull(identity);
        ArgumentNullException.ThrowIfNull(format);
        ArgumentNullException.ThrowIfNull(transport);

        refusal = null;
        if (_isClosing)
        {
            refusal = CloseReason.GoingAway(RetryDelay());
            return null;
        }

        if (_isSuspended)
        {
            Metrics.CountRefusal(Refusal.Suspended);
            refusal = CloseReason.Unavailable(RetryDelay());
            return null;
        }

        // A user's connections are together, so that the user's feed is one node; but for those that sign in later.
        var shard = identity.UserId is { } userId
            ? ShardOf(userId)
            : Shards[(uint)Interlocked.Increment(ref _nextShard) % (uint)Shards.Length];
        var connection = new Connection(this, shard, identity, format, transport, protocolState, id);
        if (!_connections.TryAdd(connection))
        {
            Metrics.CountRefusal(Refusal.ConnectionsPerUser);
            refusal = CloseReason.OverLimit(RetryDelay());
            return null;
        }

        Metrics.CountConnection(format, 1);
        shard.Post(() =>
        {
            if (connection.IsClosing) return; // closed before its shard has seen it: nobody would take it off the list again
            shard.Add(connection);
            connection.Write(new ConnectedMessage(connection.Id, identity.UserId, Options.HeartbeatInterval, identity.ExpiresAt));
        });

        // Whoever came in while the door was being closed, or their session ended, has not been told by those who did that.
        if (EndedSignIns.Find(identity) is { } end) connection.Close(end);
        else if (_isClosing) connection.Close(CloseReason.GoingAway(RetryDelay()));
        else if (_isSuspended) connection.Close(CloseReason.Unavailable(RetryDelay()));
        return connection;
    }

    /// <summary>
    /// Runs one command of a client. A client's mistakes and the server's faults are answered with <see cref="ErrorMessage"/>; it
    /// throws only when cancelled. The adapter runs the commands of one connection one after the other.
    /// </summary>
    public async ValueTask HandleAsync(Connection connection, ClientCommand command, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(command);
        try
        {
            await DispatchAsync(connection, command, cancellationToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // A fault of ours is answered as one, and the connection goes on.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFault($"handling a {command.GetType().Name}", exception);
            connection.Send(new ErrorMessage(command.Id, ErrorCode.Internal, "The server could not do this now."));
        }
    }

    private ValueTask DispatchAsync(Connection connection, ClientCommand command, CancellationToken cancellationToken) => command switch
    {
        SubscribeCommand subscribe => SubscribeHandler.HandleAsync(this, connection, subscribe, cancellationToken),
        UnsubscribeCommand unsubscribe => Unsubscribe(connection, unsubscribe),
        PublishCommand publish => PublishHandler.HandleAsync(this, connection, publish, cancellationToken),
        HistoryCommand history => HistoryHandler.HandleAsync(this, connection, history, cancellationToken),
        AuthenticateCommand authenticate => AuthenticateHandler.HandleAsync(this, connection, authenticate, cancellationToken),
        PresenceCommand presence => PresenceHandler.HandleAsync(this, connection, presence, cancellationToken),
        PingCommand ping => Ping(connection, ping),
        _ => throw new InvalidOperationException($"{command.GetType().Name} has no handler."),
    };

    /// <summary>Makes an anonymous connection a user's, once.</summary>
    public Task<IdentifyResult> IdentifyAsync(Connection connection, ClientIdentity identity)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(identity);
        return Identification.RunAsync(this, connection, identity);
    }

    /// <summary>Asks whether a user may subscribe to a channel.</summary>
    public async ValueTask<ChannelGrant> AuthorizeAsync(
        ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        var askedAt = Clock.GetTimestamp();
        return await _dependencies.Authorizer.AuthorizeAsync(identity, channel, token, cancellationToken).ConfigureAwait(false) with { AskedAt = askedAt };
    }

    /// <summary>
    /// Subscribes with a grant that <see cref="AuthorizeAsync"/> has just given. Completes when the answer and what was missed have been
    /// given to the wire format, or with the exception that prevented it.
    /// </summary>
    public ValueTask SubscribeAsync(Connection connection, SubscribeCommand command, ChannelGrant grant, CancellationToken cancellationToken) =>
        SubscribeHandler.HandleAsync(this, connection, command, grant, cancellationToken);

    /// <summary>Closes all connections of a user, or those of one sign-in, on this node at once and soon on all others.</summary>
    /// <param name="userId">The user.</param>
    /// <param name="sessionId">The sign-in, or null for all.</param>
    /// <param name="reason">What they are told.</param>
    /// <param name="issuedThrough">
    /// If tokens that were issued up to a moment no longer count: that moment. Who was let in with one before, and comes in only now, is closed too.
    /// </param>
    /// <returns>How many there were on this node.</returns>
    public int Disconnect(string userId, string? sessionId, CloseReason reason, DateTimeOffset? issuedThrough = null)
    {
        var message = new DisconnectUser(userId, sessionId, reason, issuedThrough);
        Broker.Tell(message);
        return Close(message, sparesNewer: false);
    }

    /// <summary>As <see cref="Disconnect"/>, on this node only, and perhaps late: who is back with a newer token stays.</summary>
    public int DisconnectHere(DisconnectUser message) => Close(message, sparesNewer: true);

    private int Close(DisconnectUser message, bool sparesNewer)
    {
        var (userId, sessionId, reason, issuedThrough) = message;
        EndedSignIns.Add(message);
        var count = 0;
        foreach (var connection in _connections.Of(userId))
        {
            if (sessionId is not null && connection.Identity.SessionId != sessionId) continue;
            if (sparesNewer && issuedThrough is { } through && connection.Identity.IssuedAt > through) continue;
            connection.Close(reason);
            count++;
        }

        return count;
    }

    /// <summary>
    /// Ends a user's subscriptions to a channel, or everybody's if <paramref name="userId"/> is null; each connection is told
    /// <c>access_revoked</c>. When it completes nothing more is queued for them on this node, nor for anybody who was let in before but has
    /// not joined yet; the other nodes hear of it. Who may subscribe again is for the <see cref="IChannelAuthorizer"/> to say, which must
    /// have heard of it before.
    /// </summary>
    /// <returns>How many there were on this node.</returns>
    public Task<int> RevokeAsync(ChannelName channel, string? userId)
    {
        ArgumentNullException.ThrowIfNull(channel);
        Broker.Tell(new RevokeChannel(channel, userId, Clock.GetUtcNow()));
        return RevokeHereAsync(channel, userId);
    }

    /// <summary>As <see cref="RevokeAsync"/>, on this node only.</summary>
    public Task<int> RevokeHereAsync(ChannelName channel, string? userId)
    {
        Revoked.Add(channel, userId);
        return Revocation.RunAsync(this, channel, userId);
    }

    /// <summary>The channels that are read on this node, in the order of their names.</summary>
    /// <param name="after">Begins behind this name; empty for the first page.</param>
    /// <param name="kind">Of one kind only, or null.</param>
    /// <param name="limit">The most names to look at; of those that nobody reads any more the page has none.</param>
    public Task<IReadOnlyList<ChannelOccupancy>> ListChannelsAsync(string after, string? kind, int limit) =>
        Occupancy.OfAsync(this, Channels.NamesAfter(after, kind, limit));

    /// <summary>How many subscriptions a channel has on this node.</summary>
    public async Task<int> CountSubscribersAsync(ChannelName channel) =>
        (await Occupancy.OfAsync(this, [channel]).ConfigureAwait(false))[0].Subscribers;

    /// <summary>How many subscriptions each of some channels has on this node.</summary>
    public Task<IReadOnlyList<ChannelOccupancy>> CountSubscribersAsync(IReadOnlyList<ChannelName> channels) => Occupancy.OfAsync(this, channels);

    /// <summary>The connections of a user, or all of them, as they are while walking.</summary>
    public IEnumerable<Connection> ConnectionsOf(string? userId) => userId is null ? _connections.All : _connections.Of(userId);

    /// <summary>
    /// Reads a page of a channel's history, in the form that these rights allow: what came after a position, oldest first, or the newest.
    /// </summary>
    public ValueTask<HistoryMessage> ReadHistoryAsync(
        ChannelName channel, Position? since, int limit, IReaderRights rights, CancellationToken cancellationToken) =>
        HistoryHandler.ReadAsync(this, new HistoryCommand(null, channel, since, limit), rights, cancellationToken);

    /// <summary>Switches live connections off, so that clients go on over REST, or on again. Publications are stored in any case.</summary>
    public void Suspend(bool isSuspended)
    {
        _isSuspended = isSuspended;
        if (!isSuspended) return;
        foreach (var connection in _connections.All) connection.Close(CloseReason.Unavailable(RetryDelay()));
    }

    /// <summary>Takes no more connections, tells each to come back after a delay of its own, and completes when all are closed.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _isClosing = true;
        var open = _connections.All.ToList();
        foreach (var connection in open) connection.Close(CloseReason.GoingAway(RetryDelay()));
        await Task.WhenAll(open.Select(static connection => connection.Completion)).WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        _isClosing = true;
        await _timer.DisposeAsync().ConfigureAwait(false);
        foreach (var shard in Shards) shard.Dispose();
        Metrics.Dispose();
    }

    /// <summary>Lists who is in a channel, at most <see cref="RealtimeOptions.ListedMembers"/>. Whether the asker may know is the caller's affair.</summary>
    public ValueTask<PresenceList> ReadPresenceAsync(ChannelName channel, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(channel);
        return Members.ListAsync(channel, cancellationToken);
    }

    /// <summary>To be called after what others see of a user has changed, or whether the user wants to be seen online.</summary>
    public void RereadMember(string userId)
    {
        ArgumentNullException.ThrowIfNull(userId);
        Broker.Tell(new RereadMember(userId));
        RereadMemberHere(userId);
    }

    /// <summary>As <see cref="RereadMember"/>, on this node only.</summary>
    public void RereadMemberHere(string userId)
    {
        var shard = ShardOf(userId);
        shard.Post(() => shard.Members.Reread(userId));
    }

    internal IEventLog LogOf(ChannelRules rules) => rules.Durable ? DurableLog : Publisher.Memory;

    internal void Forget(Connection connection)
    {
        _connections.Remove(connection);
        Metrics.CountConnection(connection.Format, -1);
    }

    internal void LogFault(string what, Exception exception) => Log.Fault(_logger, what, exception);

    /// <summary>Spread out, so that those who are sent away together do not come back together.</summary>
    internal static TimeSpan RetryDelay() => TimeSpan.FromMilliseconds(Random.Shared.Next(1_000, 10_000));

    /// <summary>A user's home: where the connections are that were the user's from the start, and what is kept per user.</summary>
    internal Shard ShardOf(string userId) => Shards[Scheduler.HashOf(userId) % (uint)Shards.Length];

    /// <summary>Sees that the host's listener has its channel, also after the log or the bus was out of reach.</summary>
    private async Task KeepListeningAsync()
    {
        if (Listener is null || Channels.Find(Listener.Channel) is not { } channel) return;
        try
        {
            await channel.ReadyAsync().ConfigureAwait(false);
        }
#pragma warning disable CA1031 // It is tried again with the next tick.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            LogFault("reading the channel between nodes", exception);
        }
    }

    private static ValueTask Unsubscribe(Connection connection, UnsubscribeCommand command)
    {
        connection.Shard.Post(() =>
        {
            if (connection.SubscriptionTo(command.Channel) is not { } subscription)
            {
                connection.Write(new ErrorMessage(command.Id, ErrorCode.NotSubscribed, "There is no such subscription.", command.Channel.Value));
                return;
            }

            connection.Shard.EndSubscription(subscription);
            if (command.Id is not null) connection.Write(new UnsubscribedMessage(command.Id, command.Channel));
        });
        return ValueTask.CompletedTask;
    }

    private static ValueTask Ping(Connection connection, PingCommand command)
    {
        if (command.Id is { } id) connection.Send(new PongMessage(id, connection.Engine.Clock.GetUtcNow()));
        return ValueTask.CompletedTask;
    }

    private void Tick()
    {
        var now = Clock.GetTimestamp();
        var wallClock = Clock.GetUtcNow();
        foreach (var shard in Shards)
        {
            shard.Post(() =>
            {
                foreach (var connection in shard.Connections) connection.Tick(now, wallClock);
                shard.Members.Tick(now);
                shard.Typing.Tick(now);
                shard.Expiring.EndThrough(wallClock - Options.ExpiryGrace, shard);
                ReaderChanges.TellOf(shard);
            });
        }

        Members.Tick(now);
        Bus.Tick(now);

        if (++_ticks % TicksBetweenRetirals != 0) return;
        _ = KeepListeningAsync();
        Channels.RetireUnread();
        Revoked.Forget();
        EndedSignIns.Forget();
    }

    private static partial class Log
    {
        [LoggerMessage(1000, LogLevel.Error, "A fault while {What}.")]
        public static partial void Fault(ILogger logger, string what, Exception exception);
    }
}
