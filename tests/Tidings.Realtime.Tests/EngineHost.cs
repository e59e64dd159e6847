using System.Collections.Concurrent;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>An engine on a memory log, with everything a test needs to see what a client would see.</summary>
internal sealed class EngineHost : IAsyncDisposable
{
    private readonly ConcurrentDictionary<ChannelName, List<FeedSource>> _sources;

    /// <param name="options">The engine's limits and times.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="log">What stands before the log.</param>
    /// <param name="bus">Where its other nodes are; null if it is alone.</param>
    /// <param name="sharing">The node whose log and presence this one has too.</param>
    /// <param name="broker">What connects it with others, instead of a bus in memory.</param>
    /// <param name="presence">Where its members are, instead of in memory.</param>
    /// <param name="greeting">What subscribers are told first.</param>
    public EngineHost(
        RealtimeOptions? options = null,
        TimeProvider? clock = null,
        Func<EngineHost, IDurableEventLog, IDurableEventLog>? log = null,
        TestBus? bus = null,
        EngineHost? sharing = null,
        IBroker? broker = null,
        IPresenceStore? presence = null,
        IChannelGreeting? greeting = null)
    {
        Broker = bus?.Join() ?? new TestBroker();
        _sources = sharing?._sources ?? new();
        Clock = clock ?? TimeProvider.System;
        Presence = sharing?.Presence ?? new MemoryPresenceStore(Clock);
        Memory = sharing?.Memory ?? new MemoryEventLog(Catalog, Clock, publications => (SharedLog.Writer ?? this).Engine.Publisher.Carry(publications), isSequenced: true);
        Log = log?.Invoke(this, Memory) ?? (bus is null && broker is null ? Memory : new SharedLog(this, Memory));
        Engine = new RealtimeEngine(
            options ?? new RealtimeOptions { Shards = 2 },
            new RealtimeDependencies
            {
                Catalog = Catalog,
                DurableLog = Log,
                Authorizer = new Everybody(this),
                Authenticator = new Tokens(),
                FeedSources = new Sources(this),
                Broker = broker ?? Broker,
                MemberInfo = Infos,
                Watcher = Watcher,
                Greeting = greeting,
                PresenceStore = presence ?? Presence,
                Clock = Clock,
                Loggers = NullLoggerFactory.Instance,
            });
    }

    public static ChannelCatalog Catalog { get; } = new(
        new Dictionary<string, ChannelRules>
        {
            ["feed"] = new() { IsFeed = true, Durable = true, History = 200, FlatEvents = true, Access = AccessRule.Owner },
            ["creator"] = new() { Durable = true, History = 200, FlatEvents = true },
            ["post"] = new() { Durable = true, History = 200, FlatEvents = true, Presence = PresenceRule.OnRequest, Typing = true },
            ["club"] = new() { History = 50, Presence = PresenceRule.Always, ClientPublish = true },
            ["presence"] = new() { History = 0, Presence = PresenceRule.Always },
            ["room"] = new() { History = 50, ClientPublish = true },
            ["wall"] = new() { History = 50, ClientPublish = true, FlatEvents = true },
            ["passing"] = new() { History = 0 },
            ["ticker"] = new() { History = 0, SlowReader = SlowReaderPolicy.DropOldest },
            ["counter"] = new() { History = 0, SlowReader = SlowReaderPolicy.Latest },
        });

    public TestBroker Broker { get; }

    public TimeProvider Clock { get; }

    public MemoryEventLog Memory { get; }

    public IDurableEventLog Log { get; }

    public RealtimeEngine Engine { get; }

    public TestInfos Infos { get; } = new();

    public MemoryPresenceStore Presence { get; }

    public RecordingWatcher Watcher { get; } = new();

    public HashSet<string> Rights { get; } = [];

    /// <summary>When set, reading a feed's sources waits for it.</summary>
    public TaskCompletionSource? SourcesGate { get; set; }

    public static ChannelName Name(string text)
    {
        Catalog.ParseAny(text, out var name).ShouldBe(ChannelNameError.None);
        return name!;
    }

    public static async Task<EngineHost> StartAsync(RealtimeOptions? options = null, TimeProvider? clock = null)
    {
        var host = new EngineHost(options, clock);
        await host.Engine.StartAsync(CancellationToken.None);
        return host;
    }

    public TestClient Connect(string? userId = "42", TestTransport? transport = null, DateTimeOffset? issuedAt = null) => new(this, userId, transport, issuedAt);

    /// <summary>Another node beside this one: the same log, the same presence, the same bus.</summary>
    public async Task<EngineHost> StartAnotherAsync(TestBus bus)
    {
        var host = new EngineHost(null, Clock, null, bus, this);
        await host.Engine.StartAsync(CancellationToken.None);
        return host;
    }

    public Task<Publication> PublishAsync(
        string channel, string id, string? full = null, string? needs = null, ChannelEffect? effect = null, string? exclude = null, int bytes = 0) =>
        Engine.Publisher.PublishAsync(
            new PublicationDraft
            {
                Channel = Name(channel),
                Type = "said",
                Id = id,
                Timestamp = Clock.GetUtcNow(),
                Payload = Encoding.UTF8.GetBytes($"{{\"text\":\"open{new string(' ', bytes)}\"}}"),
                FullPayload = full is null ? null : Encoding.UTF8.GetBytes(full),
                FullNeeds = needs,
                Effect = effect,
                ExcludedConnectionId = exclude,
            },
            CancellationToken.None).AsTask();

    /// <summary>Follows as the product does: the source first, then the event that tells of it.</summary>
    public async Task FollowAsync(string user, string creator)
    {
        var target = Name($"creator:{creator}");
        var since = await Memory.ReadLastSequenceAsync(CancellationToken.None);
        lock (_sources) _sources.GetOrAdd(Name($"feed:{user}"), _ => []).Add(new FeedSource(target, since));
        await PublishAsync($"feed:{user}", $"follow-{creator}", effect: new ChannelEffect(ChannelEffectKind.Attach, target));
    }

    /// <summary>Many follows of long ago, of which no event is left.</summary>
    public void FollowMany(string user, int creators)
    {
        var sources = Enumerable.Range(0, creators).Select(number => new FeedSource(Name($"creator:0123456789abcdef{number:d16}"), 0));
        lock (_sources) _sources[Name($"feed:{user}")] = [.. sources];
    }

    public async Task UnfollowAsync(string user, string creator)
    {
        var target = Name($"creator:{creator}");
        lock (_sources) _sources[Name($"feed:{user}")].RemoveAll(source => source.Channel == target);
        await PublishAsync($"feed:{user}", $"unfollow-{creator}", effect: new ChannelEffect(ChannelEffectKind.Detach, target));
    }

    /// <summary>Waits until a channel has so many members.</summary>
    public async Task HasMembersAsync(string channel, int count)
    {
        for (var attempt = 0; (await Engine.ReadPresenceAsync(Name(channel), CancellationToken.None)).Count != count; attempt++)
        {
            attempt.ShouldBeLessThan(1_000, $"{channel} does not get {count} members");
            await Task.Delay(10);
        }
    }

    public ValueTask DisposeAsync() => Engine.DisposeAsync();

    private sealed class Everybody(EngineHost host) : IChannelAuthorizer
    {
        public ValueTask<ChannelGrant> AuthorizeAsync(ClientIdentity identity, ChannelName channel, string? token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(channel.Id == "forbidden" ? ChannelGrant.Denied : new ChannelGrant(true, new Held(host.Rights)));
    }

    private sealed class Held(HashSet<string> rights) : IReaderRights
    {
        public bool Holds(string right) => rights.Contains(right);
    }

    private sealed class Tokens : IConnectionAuthenticator
    {
        public ValueTask<TokenVerdict> AuthenticateAsync(string token, CancellationToken cancellationToken) =>
            ValueTask.FromResult(new TokenVerdict(token == "bad" ? null : new ClientIdentity(token, null)));
    }

    private sealed class Sources(EngineHost host) : IFeedSources
    {
        public async ValueTask<IReadOnlyList<FeedSource>> ReadAsync(ChannelName feed, CancellationToken cancellationToken)
        {
            FeedSource[] sources;
            lock (host._sources) sources = [.. host._sources.GetValueOrDefault(feed) ?? []];
            if (host.SourcesGate is { } gate) await gate.Task;
            return sources;
        }
    }
}
