using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Tidings.Testing.Checks;

namespace Tidings.Testing.Clients;

/// <summary>
/// Publishes posts at a steady rate, each under an idempotency key that its text begins with. What it has no answer for is unknown, and is
/// asked for again with the same key until there is one.
/// </summary>
public sealed class KeyedWriter(IReadOnlyList<Account> authors, OperationLog log)
{
    private static readonly TimeSpan AnswerWithin = TimeSpan.FromSeconds(10);

    private readonly ConcurrentQueue<string> _unknown = new();
    private readonly ConcurrentDictionary<HttpStatusCode, int> _statuses = new();
    private int _lastNumber;

    /// <summary>Added to each post after its key.</summary>
    public string Padding { get; init; } = "";

    /// <summary>So many posts at most wait for their answers at once: a server that cannot keep up is asked for less.</summary>
    public int MostWaiting { get; init; } = int.MaxValue;

    /// <summary>Posts asked for so far.</summary>
    public int Asked => Volatile.Read(ref _lastNumber);

    /// <summary>Posts whose outcome is not known yet.</summary>
    public int Unknown => _unknown.Count;

    /// <summary>Answers that were neither success nor "try again".</summary>
    public IReadOnlyDictionary<HttpStatusCode, int> Unexpected => _statuses;

    /// <summary>Writes until told to stop; then waits for the answers that are due.</summary>
    public async Task WriteAsync(int perSecond, CancellationToken stop)
    {
        var waiting = new List<Task>();
        var startedAt = TimeProvider.System.GetTimestamp();
        for (var written = 0; !stop.IsCancellationRequested;)
        {
            waiting.RemoveAll(static task => task.IsCompletedSuccessfully);
            var due = (int)(TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds * perSecond) + 1;
            for (; written < due && waiting.Count < MostWaiting; written++) waiting.Add(WriteOneAsync(NextKey()));
            await Task.Delay(5, CancellationToken.None);
        }

        await Task.WhenAll(waiting);
    }

    /// <summary>Writes one post and writes down what became of it. Never throws for what a broken server does.</summary>
    /// <returns>Whether it was acknowledged.</returns>
    public async Task<bool> WriteOneAsync(string? key = null)
    {
        key ??= NextKey();
        log.Attempted(key);
        using var deadline = new CancellationTokenSource(AnswerWithin);
        try
        {
            using var answer = await AuthorOf(key).TryPostAsync(Padding.Length > 0 ? $"{key} {Padding}" : key, key, deadline.Token);
            if (answer.StatusCode == HttpStatusCode.Created)
            {
                var body = await Account.ReadAsync(answer, HttpStatusCode.Created);
                log.Acknowledged(key, body.GetProperty("post").GetProperty("id").GetString()!);
                return true;
            }

            if (answer.StatusCode is not (HttpStatusCode.ServiceUnavailable or HttpStatusCode.Conflict)) _statuses.AddOrUpdate(answer.StatusCode, 1, (_, count) => count + 1);
        }
        catch (Exception error) when (error is HttpRequestException or SocketException or OperationCanceledException or IOException)
        {
            // No answer: it may have happened or not.
        }

        _unknown.Enqueue(key);
        return false;
    }

    /// <summary>Asks again for what is unknown, once each.</summary>
    public async Task RetryUnknownAsync()
    {
        var keys = new List<string>();
        while (_unknown.TryDequeue(out var key)) keys.Add(key);
        foreach (var some in keys.Chunk(16)) await Task.WhenAll(some.Select(key => WriteOneAsync(key)));
    }

    /// <summary>Asks again until nothing is unknown.</summary>
    public Task SettleAsync(TimeSpan? within = null) =>
        Eventually.HoldsAsync(
            async () =>
            {
                await RetryUnknownAsync();
                return Unknown == 0;
            },
            $"every post has an answer (unexpected: {string.Join(", ", Unexpected)})",
            within);

    private string NextKey()
    {
        var number = Interlocked.Increment(ref _lastNumber);
        return $"post-{number}";
    }

    private Account AuthorOf(string key) => authors[(int.Parse(key.AsSpan(5), System.Globalization.CultureInfo.InvariantCulture) - 1) % authors.Count];
}
