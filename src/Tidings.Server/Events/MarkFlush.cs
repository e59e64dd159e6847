using Tidings.Server.Storage;

namespace Tidings.Server.Events;

/// <summary>
/// Acts on marks, such as those of posts whose counters changed, a batch in the order of their keys at a time, until there are none: at most once in an interval, and on the last mark
/// always, for it goes in the transaction that acts on it. Marks that a crash left are finished at start.
/// </summary>
internal abstract class MarkFlush : BackgroundService
{
    private readonly Store _store;
    private readonly TimeProvider _clock;
    private readonly FlushLoop _loop;

    /// <param name="name">What it does, for the log.</param>
    /// <param name="interval">How often at most.</param>
    /// <param name="store">Where the marks are.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="logger">Hears of a flush that failed.</param>
    protected MarkFlush(string name, TimeSpan interval, Store store, TimeProvider clock, ILogger logger)
    {
        (_store, _clock) = (store, clock);
        _loop = new FlushLoop(name, interval, FlushAsync, clock, logger);
    }

    /// <summary>Says that there are marks.</summary>
    public void Wake() => _loop.Wake();

    /// <summary>Acts on what is marked now: on each once, also if it is marked again meanwhile.</summary>
    public async Task FlushAsync(CancellationToken cancellationToken)
    {
        for (string? after = ""; after is not null;)
        {
            var (from, now) = (after, _clock.GetUtcNow());
            after = await _store.WriteAsync(write => FlushBatchAsync(write, from, now), cancellationToken).ConfigureAwait(false);
        }
    }

    /// <summary>Acts on the first marks behind one, and takes them away.</summary>
    /// <returns>The key where the next batch begins; null if there is none.</returns>
    protected abstract ValueTask<string?> FlushBatchAsync(IWriteUnit write, string after, DateTimeOffset now);

    /// <inheritdoc />
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(stoppingToken);
}
