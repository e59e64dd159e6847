using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Scheduling;

/// <summary>
/// Says where and when the engine's work runs. On threads, or under a simulation that decides for everything what is next, so that a
/// seed repeats a run. It is asked when work begins, never for a single delivery.
/// </summary>
internal abstract class EngineScheduler
{
    /// <summary>A thread for each shard, the pool for everything else.</summary>
    public static EngineScheduler Threads { get; } = new ThreadScheduler();

    /// <summary>How waiters of the engine's completions go on: elsewhere, or at once where there is one thread only.</summary>
    public abstract TaskCreationOptions Completions { get; }

    /// <summary>Starts a shard. <see cref="Shard.RunPosted"/> runs what is posted to it until nothing is left, never twice at a time.</summary>
    /// <returns>To be called when work waits after there was none, and when the shard stops. Any thread.</returns>
    public abstract Action StartShard(Shard shard);

    /// <summary>Runs something later, outside of the caller's locks.</summary>
    public abstract Task RunAsync(Func<Task> work);

    /// <summary>What each of several waiters for one piece of work awaits.</summary>
    public virtual Task ForWaiter(Task work) => work;

    /// <summary>A number by which a user's connections go to one shard.</summary>
    public abstract uint HashOf(string userId);
}
