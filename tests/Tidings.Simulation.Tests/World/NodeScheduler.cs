using Tidings.Realtime.Fanout;
using Tidings.Realtime.Scheduling;

namespace Tidings.Simulation.Tests.World;

/// <summary>Makes steps of the engine's work. There is one thread only, so waiters go on at once.</summary>
internal sealed class NodeScheduler(Node node, Steps steps) : EngineScheduler
{
    private readonly Dictionary<Task, List<TaskCompletionSource>> _waiters = [];

    public override TaskCreationOptions Completions => TaskCreationOptions.None;

    public override Action StartShard(Shard shard)
    {
        var isScheduled = false;
        return () =>
        {
            if (isScheduled || shard.IsStopping) return;
            isScheduled = true;
            steps.Add(node, $"{node} runs shard {shard.Index}", Run);
        };

        void Run()
        {
            // What it posts to itself meanwhile is another step.
            isScheduled = false;
            shard.RunPosted();
        }
    }

    public override async Task RunAsync(Func<Task> work)
    {
        await steps.LaterAsync(node, $"{node} runs something");
        await work();
    }

    /// <summary>A task of its own for each waiter: of several waiters for one task, the runtime lets all but one go on in the pool.</summary>
    public override Task ForWaiter(Task work)
    {
        if (work.IsCompleted) return work;
        if (!_waiters.TryGetValue(work, out var waiters))
        {
            _waiters[work] = waiters = [];
            _ = RelayAsync(work, waiters);
        }

        var waiter = new TaskCompletionSource();
        waiters.Add(waiter);
        return waiter.Task;
    }

    public override uint HashOf(string userId) => userId.Aggregate(17u, static (hash, character) => (hash * 31) + character);

    private async Task RelayAsync(Task work, List<TaskCompletionSource> waiters)
    {
        Exception? fault = null;
        try
        {
            await work;
        }
        catch (Exception exception)
        {
            fault = exception;
        }

        _waiters.Remove(work);
        foreach (var waiter in waiters)
        {
            if (fault is null) waiter.SetResult();
            else waiter.SetException(fault);
        }
    }
}
