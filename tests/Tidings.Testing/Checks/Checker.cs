using static Tidings.Testing.Checks.OperationLog;

namespace Tidings.Testing.Checks;

/// <summary>Replays an <see cref="OperationLog"/> against the invariants. Its own tests show that it can fail.</summary>
public static class Checker
{
    private const int MostExamples = 20;

    /// <summary>Everything that is wrong; empty if nothing is.</summary>
    public static IReadOnlyList<Violation> Check(OperationLog log) =>
        log.Read(record => (IReadOnlyList<Violation>)
        [
            .. AcknowledgedIsStored(record),
            .. OneKeyIsOnePost(record),
            .. StoredWasAsked(record),
            .. StoredIsInOneHistory(record),
            .. record.Seen.SelectMany(reader => ReaderSawTheHistory(record, reader.Key.Reader, reader.Key.Channel, reader.Value)),
        ]);

    /// <summary>Fails with the violations, if there are any.</summary>
    public static void Verify(OperationLog log)
    {
        var violations = Check(log);
        if (violations.Count == 0) return;
        throw new BrokenPromiseException(
            $"{violations.Count} violations (seed {TestRun.Seed}):\n{string.Join('\n', violations.Take(MostExamples))}{(violations.Count > MostExamples ? "\n…" : "")}", violations);
    }

    /// <summary>I1, first half: what was acknowledged is in the database, under the id that was answered.</summary>
    private static IEnumerable<Violation> AcknowledgedIsStored(Record record)
    {
        var stored = record.Stored.ToHashSet();
        return record.Acknowledged.Distinct().Where(acknowledged => !stored.Contains(acknowledged))
            .Select(lost => new Violation("I1", $"post {lost.PostId} of key {lost.Key} was acknowledged and is not in the database"));
    }

    /// <summary>I7: however often a key was sent, there is one post and one answer.</summary>
    private static IEnumerable<Violation> OneKeyIsOnePost(Record record) =>
    [
        .. record.Stored.GroupBy(post => post.Key).Where(key => key.Count() > 1)
            .Select(key => new Violation("I7", $"key {key.Key} made {key.Count()} posts: {string.Join(", ", key.Select(post => post.PostId))}")),
        .. record.Acknowledged.Distinct().GroupBy(answer => answer.Key).Where(key => key.Count() > 1)
            .Select(key => new Violation("I7", $"key {key.Key} was answered with different posts: {string.Join(", ", key.Select(answer => answer.PostId))}")),
    ];

    private static IEnumerable<Violation> StoredWasAsked(Record record)
    {
        var asked = record.Attempted.ToHashSet();
        return record.Stored.Where(post => !asked.Contains(post.Key)).Select(post => new Violation("truth", $"post {post.PostId} of key {post.Key} was never asked for"));
    }

    /// <summary>I1, second half, as far as the log goes: each stored post is one event of a history; I4: and not of two places in it.</summary>
    private static IEnumerable<Violation> StoredIsInOneHistory(Record record)
    {
        if (record.History.Count == 0) yield break;
        foreach (var (channel, events) in record.History)
        {
            foreach (var id in events.GroupBy(happened => happened.EventId).Where(id => id.Count() > 1))
                yield return new Violation("I4", $"the history of {channel} has the event {id.Key} {id.Count()} times");
            foreach (var key in events.Where(happened => happened.Key is not null).GroupBy(happened => happened.Key).Where(key => key.Count() > 1))
                yield return new Violation("I4", $"the history of {channel} has {key.Count()} events for the post of key {key.Key}");
        }

        var published = record.History.Values.SelectMany(events => events).Select(happened => happened.Key).ToHashSet();
        foreach (var (key, postId) in record.Stored.Where(post => !published.Contains(post.Key)))
            yield return new Violation("I1", $"post {postId} of key {key} is in the database and no history has its event");
    }

    /// <summary>I1–I4 for one reader: what it saw is the history, in order, once, whole but for the gaps that it was told of.</summary>
    private static IEnumerable<Violation> ReaderSawTheHistory(Record record, string reader, string channel, List<Seen> seen)
    {
        var who = $"{reader} on {channel}";
        foreach (var id in seen.OfType<SeenEvent>().GroupBy(happened => happened.EventId).Where(id => id.Count() > 1))
            yield return new Violation("I4", $"{who} got the event {id.Key} {id.Count()} times");

        if (!record.History.TryGetValue(channel, out var history)) yield break;

        var places = new Dictionary<string, int>();
        for (var place = 0; place < history.Count; place++) places.TryAdd(history[place].EventId, place);

        var next = 0;
        var mayJump = false;
        foreach (var entry in seen)
        {
            if (entry is not SeenEvent happened)
            {
                mayJump = true;
                continue;
            }

            if (!places.TryGetValue(happened.EventId, out var place))
            {
                yield return new Violation("truth", $"{who} got the event {happened.EventId} (key {happened.Key}), which the history does not have");
                continue;
            }

            if (place < next)
            {
                yield return new Violation("I3", $"{who} got event {place} of the history after event {next - 1}");
                continue;
            }

            if (place > next && !mayJump)
                yield return new Violation("I2", $"{who} got event {place} of the history after event {next - 1}: {place - next} missing, the first of key {history[next].Key}");
            next = place + 1;
            mayJump = false;
        }

        if (next < history.Count && !mayJump)
            yield return new Violation("I1", $"{who} did not get the last {history.Count - next} of {history.Count} events, the first of key {history[next].Key}");
    }
}

/// <summary>The run broke a promise.</summary>
public sealed class BrokenPromiseException(string message, IReadOnlyList<Violation> violations) : Exception(message)
{
    public IReadOnlyList<Violation> Violations { get; } = violations;
}
