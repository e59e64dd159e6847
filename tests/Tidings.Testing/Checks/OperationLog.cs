namespace Tidings.Testing.Checks;

/// <summary>
/// What clients did and saw in one run, and what the server holds at its end, for <see cref="Checker"/> to judge. Each post has one key,
/// which is its idempotency key and its text. Safe for all threads.
/// </summary>
public sealed class OperationLog
{
    private readonly Lock _gate = new();
    private readonly List<string> _attempted = [];
    private readonly List<(string Key, string PostId)> _acknowledged = [];
    private readonly Dictionary<(string Reader, string Channel), List<Seen>> _seen = [];
    private readonly List<(string Key, string PostId)> _stored = [];
    private readonly Dictionary<string, List<SeenEvent>> _history = [];

    /// <summary>A post was asked for, for the first time or again.</summary>
    public void Attempted(string key) => Do(() => _attempted.Add(key));

    /// <summary>The server answered that it is published.</summary>
    public void Acknowledged(string key, string postId) => Do(() => _acknowledged.Add((key, postId)));

    /// <summary>A reader subscribed to a channel before anything was posted there.</summary>
    public void Joined(string reader, string channel) => Do(() => _seen.TryAdd((reader, channel), []));

    /// <summary>A reader got an event.</summary>
    public void Received(string reader, string channel, string eventId, string? key) =>
        Do(() => _seen[(reader, channel)].Add(new SeenEvent(eventId, key)));

    /// <summary>The server told a reader that it could not replay what it missed in a channel.</summary>
    public void NotRecovered(string reader, string channel) => Do(() => _seen[(reader, channel)].Add(new ToldGap()));

    /// <summary>A post that the server holds at the end.</summary>
    public void Stored(string key, string postId) => Do(() => _stored.Add((key, postId)));

    /// <summary>The history of a channel at the end, oldest first.</summary>
    public void History(string channel, IEnumerable<(string EventId, string? Key)> events) =>
        Do(() => _history[channel] = [.. events.Select(happened => new SeenEvent(happened.EventId, happened.Key))]);

    /// <summary>Keys that were acknowledged so far.</summary>
    public int AcknowledgedCount
    {
        get
        {
            lock (_gate) return _acknowledged.Count;
        }
    }

    /// <summary>How many events a reader got in a channel.</summary>
    public int ReceivedCount(string reader, string channel)
    {
        lock (_gate) return _seen.TryGetValue((reader, channel), out var seen) ? seen.Count(entry => entry is SeenEvent) : 0;
    }

    /// <summary>Whether a reader has got a post in a channel.</summary>
    public bool HasReceived(string reader, string channel, string key)
    {
        lock (_gate) return _seen.TryGetValue((reader, channel), out var seen) && seen.Exists(entry => entry is SeenEvent it && it.Key == key);
    }

    internal T Read<T>(Func<Record, T> read)
    {
        lock (_gate) return read(new Record(_attempted, _acknowledged, _seen, _stored, _history));
    }

    private void Do(Action change)
    {
        lock (_gate) change();
    }

    internal abstract record Seen;

    internal sealed record SeenEvent(string EventId, string? Key) : Seen;

    internal sealed record ToldGap : Seen;

    internal sealed record Record(
        IReadOnlyList<string> Attempted,
        IReadOnlyList<(string Key, string PostId)> Acknowledged,
        IReadOnlyDictionary<(string Reader, string Channel), List<Seen>> Seen,
        IReadOnlyList<(string Key, string PostId)> Stored,
        IReadOnlyDictionary<string, List<SeenEvent>> History);
}
