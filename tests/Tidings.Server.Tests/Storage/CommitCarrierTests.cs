using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Shouldly;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

[Trait("Database", "SQLite")]
public sealed class CommitCarrierTests : IDisposable
{
    private readonly RecordingLoggers _loggers = new();
    private readonly TempStore _temp;
    private readonly ConcurrentQueue<long> _received = [];

    public CommitCarrierTests() => _temp = new TempStore(loggers: _loggers);

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Committed_publications_arrive_in_the_order_of_the_log()
    {
        _temp.Store.Carrier.DeliverTo(Receive);

        await Task.WhenAll(Enumerable.Range(0, 16).Select(writer => Task.Run(async () =>
        {
            for (var count = 0; count < 100; count++) await _temp.AppendAsync($"creator:{(writer * count) % 7}", $"{writer}-{count}");
        })));

        await Until(() => _temp.Store.Carrier.CarriedThrough == 1_600);
        _received.ShouldBe(Enumerable.Range(1, 1_600).Select(sequence => (long)sequence));
        _loggers.Lines.ShouldBeEmpty("nothing had to be read from the log");
    }

    [Fact]
    public async Task A_slow_receiver_does_not_hold_up_the_writer()
    {
        using var release = new ManualResetEventSlim();
        _temp.Store.Carrier.DeliverTo(publications =>
        {
            release.Wait();
            Receive(publications);
        });

        for (var count = 0; count < 50; count++) await _temp.AppendAsync("post:1", $"{count}");

        _received.ShouldBeEmpty();
        release.Set();
        await Until(() => _received.Count == 50);
    }

    [Fact]
    public async Task What_a_full_memory_had_no_room_for_comes_from_the_log_in_its_place()
    {
        using var release = new ManualResetEventSlim();
        _temp.Store.Carrier.DeliverTo(publications =>
        {
            release.Wait();
            Receive(publications);
        });

        for (var batch = 0; batch < 10; batch++)
            await _temp.Log.AppendAsync([.. Enumerable.Range(0, 2_000).Select(index => _temp.Draft("creator:1", $"{batch}-{index}"))], CancellationToken.None);

        release.Set();
        await _temp.Store.Carrier.SweepAsync();
        _received.ShouldBe(Enumerable.Range(1, 20_000).Select(sequence => (long)sequence));
        _loggers.Lines.ShouldContain(line => line.Contains("handed over from the log", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_receiver_that_comes_late_gets_everything_in_order()
    {
        for (var count = 0; count < 3; count++) await _temp.AppendAsync("post:1", $"{count}");
        _temp.Store.Carrier.DeliverTo(Receive);
        await _temp.AppendAsync("post:1", "live");

        await Until(() => _received.Count == 4);
        _received.ShouldBe([1, 2, 3, 4]);
    }

    [Fact]
    public async Task One_publication_on_which_the_receiver_throws_does_not_stop_the_others()
    {
        _temp.Store.Carrier.DeliverTo(publications =>
        {
            if (publications.Any(publication => publication.Draft.Id == "3")) throw new FormatException();
            Receive(publications);
        });

        await _temp.Log.AppendAsync([.. Enumerable.Range(1, 5).Select(index => _temp.Draft("post:1", $"{index}"))], CancellationToken.None);
        await _temp.AppendAsync("post:1", "6");

        await Until(() => _temp.Store.Carrier.CarriedThrough == 6);
        _received.ShouldBe([1, 2, 4, 5, 6]);
    }

    [Fact]
    public async Task A_hundred_good_rows_behind_a_poisoned_one_are_handed_over()
    {
        for (var count = 0; count < 101; count++) await _temp.AppendAsync("creator:1", $"{count}");
        _temp.Ask<long>("UPDATE events SET payload = x'ff' WHERE offset = 1 RETURNING seq");
        var tombstones = 0;
        _temp.Store.Carrier.DeliverTo(publications =>
        {
            tombstones += publications.Count(publication => publication.Draft.Type == "tombstone");
            Receive(publications);
        });

        await _temp.Store.Carrier.SweepAsync();

        _received.Count.ShouldBe(101);
        tombstones.ShouldBe(1);
    }

    [Fact]
    public async Task What_cannot_be_read_now_is_read_at_a_later_sweep_and_nothing_is_left_out()
    {
        for (var count = 0; count < 101; count++) await _temp.AppendAsync("creator:1", $"{count}");
        var attempts = 0;
        using var carrier = new CommitCarrier(
            0, () => SqliteDatabase.OpenReader(_temp.File), ReadAfter, () => _temp.Store.CommittedSequence, _loggers.CreateLogger<CommitCarrier>());
        carrier.DeliverTo(Receive);

        for (var sweep = 0; sweep < 5; sweep++) await carrier.SweepAsync();

        carrier.CarriedThrough.ShouldBe(101);
        _received.ShouldBe(Enumerable.Range(1, 101).Select(sequence => (long)sequence));

        IReadOnlyList<Publication> ReadAfter(Reader reader, long after, int limit) =>
            ++attempts < 5 ? throw new FormatException() : LogQueries.AllSince(reader, _temp.Store.Rows, _temp.Store.Positions, after, limit);
    }

    [Fact]
    public void There_is_one_receiver()
    {
        _temp.Store.Carrier.DeliverTo(Receive);
        Should.Throw<InvalidOperationException>(() => _temp.Store.Carrier.DeliverTo(Receive));
    }

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Delay(5); // what is waited for needs the processor too
        }
    }

    private void Receive(IReadOnlyList<Publication> publications)
    {
        foreach (var publication in publications) _received.Enqueue(publication.Sequence);
    }
}
