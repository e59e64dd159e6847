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
            while (shard.RunPosted())
            {
            }
        }
    }
}
