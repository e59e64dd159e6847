namespace Tidings.Server.Storage;

/// <summary>
/// Loads many things asked for one by one with one query: requests are collected for a moment, or until there are enough. A reconnect
/// storm then costs a handful of queries. Safe for all threads.
/// </summary>
/// <typeparam name="TKey">What is asked for; equal keys of one batch are asked for once.</typeparam>
/// <typeparam name="TValue">What is found.</typeparam>
internal sealed class BatchLoader<TKey, TValue>
    where TKey : notnull
{
    /// <summary>How long a request waits for company.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(10);

    /// <summary>How long when many are asking: in a storm of reconnects the database matters more than a few milliseconds.</summary>
    public static readonly TimeSpan PatienceInStorm = TimeSpan.FromMilliseconds(25);

    /// <summary>The most keys of one query.</summary>
    public const int MaxKeys = 256;

    private const int StormKeys = 16;

    private readonly Func<IReadOnlyCollection<TKey>, Task<IReadOnlyDictionary<TKey, TValue>>> _load;
    private readonly TimeProvider _clock;
    private readonly Lock _gate = new();
    private Dictionary<TKey, TaskCompletionSource<TValue?>> _waiting = [];
    private volatile int _lastKeys;

    /// <summary>Makes a loader.</summary>
    /// <param name="load">Loads what there is of the keys; a key that is not in the answer was not found.</param>
    /// <param name="clock">Times the patience.</param>
    public BatchLoader(Func<IReadOnlyCollection<TKey>, Task<IReadOnlyDictionary<TKey, TValue>>> load, TimeProvider clock)
    {
        _load = load;
        _clock = clock;
    }

    /// <summary>Loads one thing: the type's default if there is none. Whoever gives up leaves the others of the batch alone.</summary>
    public Task<TValue?> LoadAsync(TKey key, CancellationToken cancellationToken)
    {
        Task<TValue?> answer;
        Dictionary<TKey, TaskCompletionSource<TValue?>>? full = null;
        lock (_gate)
        {
            if (!_waiting.TryGetValue(key, out var place))
            {
                place = new TaskCompletionSource<TValue?>(TaskCreationOptions.RunContinuationsAsynchronously);
                _waiting.Add(key, place);
                if (_waiting.Count == 1) _ = RunLaterAsync(_waiting);
                if (_waiting.Count == MaxKeys) full = TakeBatch(_waiting);
            }

            answer = place.Task;
        }

        if (full is not null) _ = RunAsync(full);
        return answer.WaitAsync(cancellationToken);
    }

    private async Task RunLaterAsync(Dictionary<TKey, TaskCompletionSource<TValue?>> batch)
    {
        await Task.Delay(_lastKeys >= StormKeys ? PatienceInStorm : Patience, _clock).ConfigureAwait(false);

        Dictionary<TKey, TaskCompletionSource<TValue?>>? due;
        lock (_gate) due = TakeBatch(batch);
        if (due is not null) await RunAsync(due).ConfigureAwait(false);
    }

    /// <summary>Takes a batch for running, under the gate; null if it has been taken already, by count or by time.</summary>
    private Dictionary<TKey, TaskCompletionSource<TValue?>>? TakeBatch(Dictionary<TKey, TaskCompletionSource<TValue?>> batch)
    {
        if (!ReferenceEquals(_waiting, batch)) return null;
        _waiting = [];
        _lastKeys = batch.Count;
        return batch;
    }

    private async Task RunAsync(Dictionary<TKey, TaskCompletionSource<TValue?>> batch)
    {
        try
        {
            var found = await _load(batch.Keys).ConfigureAwait(false);
            foreach (var (key, place) in batch)
                place.TrySetResult(found.TryGetValue(key, out var value) ? value : default);
        }
#pragma warning disable CA1031 // Whatever it is, it belongs to those who wait for the answer.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            foreach (var place in batch.Values)
                place.TrySetException(exception);
        }
    }
}
