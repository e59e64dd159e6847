using Microsoft.Extensions.Logging;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;

namespace Tidings.Simulation.Tests.World;

/// <summary>One life of one node, from its start to its crash: the real engine on the simulated disk, bus, clock and clients.</summary>
internal sealed class Node : IChannelAuthorizer, IConnectionAuthenticator, ILoggerFactory, ILogger
{
    private const int WorkFailed = 1001;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(5);

    private readonly SimulatedWorld _world;
    private readonly string _name;
    private readonly ITimer _sweep;
    private Task _starting;

    public Node(SimulatedWorld world, int index)
    {
        _world = world;
        Index = index;
        _name = $"node {index}";
        Broker = new LossyBroker(world, this);
        var log = new NodeLog(world, this);
        Engine = new RealtimeEngine(SimulatedWorld.Options, new RealtimeDependencies
        {
            Catalog = SimulatedWorld.Catalog,
            DurableLog = log,
            Authorizer = this,
            Authenticator = this,
            FeedSources = log,
            Broker = Broker,
            Clock = world.Clock,
            Loggers = this,
            Scheduler = new NodeScheduler(this, world.Steps),
        });
        _starting = Engine.StartAsync(CancellationToken.None);
        _sweep = world.Clock.CreateTimer(_ => world.Steps.Add(this, $"{this} sweeps", Sweep), null, SweepInterval, SweepInterval);
    }

    public int Index { get; }

    public RealtimeEngine Engine { get; }

    public LossyBroker Broker { get; }

    public bool IsDead { get; private set; }

    /// <summary>Whether it takes connections.</summary>
    public bool IsUp => !IsDead && _starting.IsCompletedSuccessfully;

    /// <summary>Its memory is gone, and all that was under way.</summary>
    public void Crash()
    {
        IsDead = true;
        _world.Steps.Drop(this);
        _sweep.Dispose();
        _ = Engine.DisposeAsync().AsTask();
    }

    /// <summary>A start that failed is tried again, as a supervisor would.</summary>
    public void StartAgainIfItFailed()
    {
        if (_starting.IsFaulted) _starting = Engine.StartAsync(CancellationToken.None);
    }

    public async ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken)
    {
        var decidesFirst = _world.Happens(50);
        var isAllowed = IsAllowed();
        await _world.Steps.LaterAsync(this, $"{this} answers for {identity.UserId} on {channel}");
        if (!decidesFirst) isAllowed = IsAllowed();
        return isAllowed ? new ChannelGrant(true, new Rights(_world, identity.UserId!)) : ChannelGrant.Denied;

        bool IsAllowed() => _world.MaySubscribe(identity.UserId!, channel);
    }

    public async ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken)
    {
        await _world.Steps.LaterAsync(this, $"{this} checks a token");
        return new TokenVerdict(new ClientIdentity(token, _world.Clock.GetUtcNow() + SimulatedWorld.TokenLifetime));
    }

    public override string ToString() => _name;

    public ILogger CreateLogger(string categoryName) => this;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose() => Crash();

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Error;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (eventId.Id == WorkFailed || exception is not (null or SimulatedFaultException))
            _world.Violated("fault", $"{this}: {formatter(state, exception)} {exception}");
    }

    /// <summary>What a bus lost for good is found by comparing with the log.</summary>
    private void Sweep()
    {
        var events = _world.Histories.All;
        if (IsUp && events.Count > Engine.Fanout.Applied.Offset) Broker.Receive(Disk.AsRead(events[^1].Publication));
    }

    private sealed class Rights(SimulatedWorld world, string userId) : IReaderRights
    {
        public bool Holds(string right) => world.Holds(userId, right);
    }
}
