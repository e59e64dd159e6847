using Microsoft.Extensions.Logging;
using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Fanout;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.History;
using Tidings.Realtime.Presence;
using Tidings.Realtime.Publishing;
using Tidings.Realtime.Returning;
using Tidings.Realtime.Scheduling;

namespace Tidings.Realtime;

/// <summary>What the engine asks of its host.</summary>
internal sealed record RealtimeDependencies
{
    /// <summary>The kinds of channels.</summary>
    public required ChannelCatalog Catalog { get; init; }

    /// <summary>The log of durable channels. Its owner hands what it commits to <see cref="Publisher.Carry"/>.</summary>
    public required IDurableEventLog DurableLog { get; init; }

    /// <summary>Who may subscribe.</summary>
    public required IChannelAuthorizer Authorizer { get; init; }

    /// <summary>Who a renewed token is of.</summary>
    public required IConnectionAuthenticator Authenticator { get; init; }

    /// <summary>What belongs in a feed.</summary>
    public required IFeedSources FeedSources { get; init; }

    /// <summary>Carries publications between nodes.</summary>
    public required IBroker Broker { get; init; }

    /// <summary>The clock.</summary>
    public required TimeProvider Clock { get; init; }

    /// <summary>Where the engine's faults are reported.</summary>
    public required ILoggerFactory Loggers { get; init; }

    /// <summary>Who is in which channel; null keeps it in this process.</summary>
    public IPresenceStore? PresenceStore { get; init; }

    /// <summary>What others see of a user who is in a channel; null for nothing but the id.</summary>
    public IMemberInfo? MemberInfo { get; init; }

    /// <summary>Who hears of channels with Pusher's names; null for nobody.</summary>
    public IChannelWatcher? Watcher { get; init; }

    /// <summary>What subscribers are told first; null for nothing.</summary>
    public IChannelGreeting? Greeting { get; init; }

    /// <summary>What vanished connections read; null keeps it in this process.</summary>
    public IReaderMemory? ReaderMemory { get; init; }

    /// <summary>The host's own reader of an internal channel; null for none.</summary>
    public IChannelListener? Listener { get; init; }

    /// <summary>Where its work runs.</summary>
    internal EngineScheduler Scheduler { get; init; } = EngineScheduler.Threads;
}
