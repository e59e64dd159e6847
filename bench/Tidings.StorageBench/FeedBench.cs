using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage.Sqlite;

/// <summary>How long a feed's replay takes: 200 of 1,000 channels out of 400,000 rows, with few and with many events after the place.</summary>
internal static class FeedBench
{
    private const int Rows = 400_000;
    private const int Channels = 1_000;
    private const int Rounds = 50;

    public static async Task RunAsync()
    {
        var clock = TimeProvider.System;
        var folder = Directory.CreateTempSubdirectory("tidings-bench-").FullName;
        using (var store = new SqliteStore(folder, clock, NullLoggerFactory.Instance))
        {
            using var trimming = new LogTrimming(store, new ChannelCatalog([]), clock);
            var log = new SqliteEventLog(store, trimming);
            var names = Enumerable.Range(0, Channels).Select(index => new ChannelName("creator", $"a{index:x8}")).ToArray();
            var payload = new byte[400];
            payload.AsSpan().Fill((byte)' ');
            payload[0] = (byte)'{';
            payload[^1] = (byte)'}';
            var random = new Random(1);
            for (var written = 0; written < Rows; written += 2_000)
            {
                await log.AppendAsync(
                    [.. Enumerable.Range(0, 2_000).Select(index => new PublicationDraft
                    {
                        Channel = names[random.Next(Channels)], Type = "post_created", Id = $"{written + index}", Timestamp = clock.GetUtcNow(), Payload = payload,
                    })],
                    CancellationToken.None);
            }

            FeedSource[] sources = [.. names.Take(200).Select(name => new FeedSource(name, 0))];
            foreach (var behind in (int[])[0, 100, 1_000, 4_000, Rows])
            {
                var times = new List<double>();
                var (found, isComplete) = (0, false);
                for (var round = 0; round < Rounds; round++)
                {
                    var start = clock.GetTimestamp();
                    var page = await log.ReadFeedSinceAsync(sources, store.CommittedSequence - behind, 1_000, CancellationToken.None);
                    times.Add(clock.GetElapsedTime(start).TotalMilliseconds);
                    (found, isComplete) = (page.Events.Count, page.IsComplete);
                }

                times.Sort();
                Console.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"{behind:N0} rows behind: {found} events{(isComplete ? "" : ", not all")}, median {times[Rounds / 2]:N2} ms, fastest {times[0]:N2} ms"));
            }

            var opening = clock.GetTimestamp();
            store.Dispose();
            using var again = new SqliteStore(folder, clock, NullLoggerFactory.Instance);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"closing and opening with the check of {new FileInfo(Path.Combine(folder, "tidings.db")).Length >> 20} MB: {clock.GetElapsedTime(opening).TotalMilliseconds:N0} ms"));
        }

        Directory.Delete(folder, recursive: true);
    }
}
