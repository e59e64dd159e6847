using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Scheduling;

/// <summary>The scheduler of every engine that is not simulated.</summary>
internal sealed class ThreadScheduler : EngineScheduler
{
    /// <inheritdoc />
    public override TaskCreationOptions Completions => TaskCreationOptions.RunContinuationsAsynchronously;

    /// <inheritdoc />
    public override Action StartShard(Shard shard)
    {
        var arrived = new AutoResetEvent(false);
        new Thread(() => Run(shard, arrived)) { IsBackground = true, Name = $"tidings-fanout-{shard.Index}" }.Start();
        return () => arrived.Set();
    }

    /// <inheritdoc />
    public override Task RunAsync(Func<Task> work) => Task.Run(work);

    /// <inheritdoc />
    public override uint HashOf(string userId) => (uint)string.GetHashCode(userId, StringComparison.Ordinal);

    private static void Run(Shard shard, AutoResetEvent arrived)
    {
        while (!shard.IsStopping)
        {
            arrived.WaitOne();
            do
            {
                LetOthersPost(shard);
            }
            while (shard.RunPosted());
        }
    }

    /// <summary>
    /// A batch costs each of its readers one write, however many events are in it. Where all cores are busy, those who are about to publish get
    /// theirs in by going first; where one is idle this takes no time.
    /// </summary>
    private static void LetOthersPost(Shard shard)
    {
        const int mostTurns = 8;
        for (int turn = 0, seen = 0; turn < mostTurns && shard.PostedCount is var posted && posted != seen; turn++)
        {
            seen = posted;
            Thread.Yield();
        }
    }
}
