namespace Tidings.Simulation.Tests.World;

/// <summary>
/// Everything that could happen next. A seeded choice takes one thing at a time, so any order can come up in which it might happen,
/// and the same seed brings the same order.
/// </summary>
internal sealed class Steps(Random chance)
{
    private const int TraceLength = 200;

    private readonly int _thread = Environment.CurrentManagedThreadId;
    private readonly List<Step> _waiting = [];
    private readonly Queue<string> _trace = new();

    /// <summary>Things of which this is part of the name are put off most of the time, so that whatever races with them gets ahead.</summary>
    public string? Slow { get; set; }

    /// <summary>How many could happen next.</summary>
    public int Waiting => _waiting.Count;

    /// <summary>How many have happened: the simulation's own time.</summary>
    public int Done { get; private set; }

    /// <summary>A number that two runs share only if they took the same way.</summary>
    public ulong Fingerprint { get; private set; } = 14695981039346656037;

    /// <summary>The newest of what happened.</summary>
    public IEnumerable<string> Trace => _trace;

    /// <summary>Adds something that happens at some time, unless its owner is gone by then.</summary>
    public void Add(object owner, string what, Action run)
    {
        if (Environment.CurrentManagedThreadId != _thread) Environment.FailFast($"'{what}' left the simulation for another thread: {Environment.StackTrace}");
        _waiting.Add(new Step(owner, what, run));
    }

    /// <summary>Completes at some time, unless its owner is gone by then.</summary>
    public Task LaterAsync(object owner, string what)
    {
        var done = new TaskCompletionSource();
        Add(owner, what, done.SetResult);
        return done.Task;
    }

    /// <summary>Forgets what would have happened to somebody who is gone.</summary>
    public void Drop(object owner) => _waiting.RemoveAll(step => ReferenceEquals(step.Owner, owner));

    /// <summary>Lets one thing happen.</summary>
    public void RunOne()
    {
        var index = chance.Next(_waiting.Count);
        for (var again = 0; again < 4 && Slow is not null && _waiting[index].What.Contains(Slow, StringComparison.Ordinal); again++) index = chance.Next(_waiting.Count);
        var step = _waiting[index];
        _waiting[index] = _waiting[^1];
        _waiting.RemoveAt(_waiting.Count - 1);
        Note(step.What);
        step.Run();
    }

    /// <summary>Writes down what happened.</summary>
    public void Note(string what)
    {
        Done++;
        foreach (var character in what) Fingerprint = (Fingerprint ^ character) * 1099511628211;
        _trace.Enqueue($"{Done}: {what}");
        if (_trace.Count > TraceLength) _trace.Dequeue();
    }

    private sealed record Step(object Owner, string What, Action Run);
}
