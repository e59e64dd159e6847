using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;

// Units a second through the SQLite store: each writes a post, counts it, and appends one publication.
//   taskset -c 0 dotnet run -c Release --project bench/Tidings.StorageBench -- [seconds] [writers] [authors] [folder]
// Reading a feed of 200 channels out of a log of 400,000 rows and 1,000 channels:
//   taskset -c 0 dotnet run -c Release --project bench/Tidings.StorageBench -- feed

if (args is ["feed"])
{
    await FeedBench.RunAsync();
    return;
}

var seconds = args.Length > 0 ? int.Parse(args[0], CultureInfo.InvariantCulture) : 5;
var writers = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 256;
var authors = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1_000;
var folder = args.Length > 3 ? args[3] : Path.Combine(Path.GetTempPath(), $"tidings-bench-{Environment.ProcessId}");

var clock = TimeProvider.System;
IReadOnlyList<Migration> migrations =
[
    .. Migrations.Embedded,
    new(9000, "bench", """
        CREATE TABLE bench_posts (id TEXT PRIMARY KEY, author_id TEXT NOT NULL, text TEXT NOT NULL, created_at INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE bench_authors (id TEXT PRIMARY KEY, posts_count INTEGER NOT NULL) WITHOUT ROWID;
        """),
];

using (var store = new SqliteStore(folder, clock, NullLoggerFactory.Instance, new SqliteStoreOptions { Migrations = migrations }))
{
    var carried = 0L;
    store.Carrier.DeliverTo(publications => carried += publications.Count);
    var names = Enumerable.Range(0, authors).Select(index => new ChannelName("creator", $"a{index:x8}")).ToArray();
    await store.WriteAsync(
        async write =>
        {
            foreach (var name in names) await write.ExecuteAsync("INSERT INTO bench_authors VALUES (@Id, 0)", new { name.Id });
        },
        CancellationToken.None);

    var payload = new byte[400];
    payload.AsSpan().Fill((byte)' ');
    "{\"post\":1"u8.CopyTo(payload);
    payload[^1] = (byte)'}';
    var text = new string('x', 200);

    await RunAsync(TimeSpan.FromSeconds(1));
    var cpuBefore = Process.GetCurrentProcess().TotalProcessorTime;
    var (units, elapsed, latencies) = await RunAsync(TimeSpan.FromSeconds(seconds));
    var cpu = Process.GetCurrentProcess().TotalProcessorTime - cpuBefore;
    latencies.Sort();
    Console.WriteLine(string.Create(
        CultureInfo.InvariantCulture,
        $"{units / elapsed.TotalSeconds:N0} units/s, {cpu.TotalMilliseconds * 1000 / units:N1} µs CPU each, {writers} writers, {authors} channels; "
        + $"p50 {Percentile(latencies, 0.50):N2} ms, p99 {Percentile(latencies, 0.99):N2} ms; carried {carried:N0} of {store.CommittedSequence:N0}; "
        + $"{new FileInfo(Path.Combine(folder, "tidings.db-wal")).Length / 1048576.0:N1} MB of WAL"));

    async Task<(long Units, TimeSpan Elapsed, List<double> Latencies)> RunAsync(TimeSpan time)
    {
        var began = clock.GetTimestamp();
        var all = await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(() => WriteAsync(writer, began, time))));
        return (all.Sum(list => (long)list.Count), clock.GetElapsedTime(began), [.. all.SelectMany(list => list)]);
    }

    async Task<List<double>> WriteAsync(int writer, long began, TimeSpan time)
    {
        var latencies = new List<double>();
        var random = new Random(writer);
        while (clock.GetElapsedTime(began) < time)
        {
            var start = clock.GetTimestamp();
            var author = names[random.Next(names.Length)];
            var now = clock.GetUtcNow();
            var id = Guid.CreateVersion7(now).ToString("N");
            await store.WriteAsync(
                async write =>
                {
                    await write.ExecuteAsync("INSERT INTO bench_posts VALUES (@id, @AuthorId, @text, @now)", new { id, AuthorId = author.Id, text, now });
                    await write.ExecuteAsync("UPDATE bench_authors SET posts_count = posts_count + 1 WHERE id = @AuthorId", new { AuthorId = author.Id });
                    write.Append(new PublicationDraft { Channel = author, Type = "post_created", Id = id, Timestamp = now, Payload = payload });
                },
                CancellationToken.None);
            latencies.Add(clock.GetElapsedTime(start).TotalMilliseconds);
        }

        return latencies;
    }
}

Directory.Delete(folder, recursive: true);

static double Percentile(List<double> sorted, double share) => sorted[(int)((sorted.Count - 1) * share)];
