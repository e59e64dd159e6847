using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Fanout;

namespace Tidings.Server.Scaleout;

/// <summary>How many read what, on all nodes that know of each other. Safe for all threads.</summary>
internal interface IReaderCounts
{
    /// <summary>The channels that are read, in the order of their names.</summary>
    /// <param name="after">Begins behind this name; empty for the first page.</param>
    /// <param name="kind">Of one kind only, or null.</param>
    /// <param name="limit">The most names to look at; those that nobody reads any more have a count of zero.</param>
    /// <param name="cancellationToken">Gives up.</param>
    Task<IReadOnlyList<ChannelOccupancy>> ListAsync(string after, string? kind, int limit, CancellationToken cancellationToken);

    /// <summary>How many subscriptions each of some channels has, in the order in which they are named.</summary>
    Task<IReadOnlyList<int>> CountAsync(IReadOnlyList<ChannelName> channels, CancellationToken cancellationToken);

    /// <summary>How many connections there are.</summary>
    Task<int> CountConnectionsAsync(CancellationToken cancellationToken);
}

/// <summary>Of a node that is alone, or knows nothing of the others.</summary>
internal sealed class OwnReaderCounts(RealtimeEngine engine) : IReaderCounts
{
    /// <inheritdoc />
    public Task<IReadOnlyList<ChannelOccupancy>> ListAsync(string after, string? kind, int limit, CancellationToken cancellationToken) =>
        engine.ListChannelsAsync(after, kind, limit);

    /// <inheritdoc />
    public async Task<IReadOnlyList<int>> CountAsync(IReadOnlyList<ChannelName> channels, CancellationToken cancellationToken) =>
        [.. (await engine.CountSubscribersAsync(channels)).Select(static channel => channel.Subscribers)];

    /// <inheritdoc />
    public Task<int> CountConnectionsAsync(CancellationToken cancellationToken) => Task.FromResult(engine.ConnectionCount);
}
