using System.Collections.Concurrent;
using System.Diagnostics;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Storage;
using Tidings.Testing;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>F4: the database is gone, or does not answer.</summary>
public sealed class PostgresOutageTests : IAsyncLifetime
{
    private PostgresServer _server = null!;
    private TempPostgres _temp = null!;

    public async ValueTask InitializeAsync()
    {
        TestDatabase.RequirePostgres();
        _server = await PostgresServer.StartAsync();
        _temp = new TempPostgres(await _server.CreateDatabaseAsync());
    }

    public async ValueTask DisposeAsync()
    {
        _temp?.Dispose();
        if (_server is not null) await _server.DisposeAsync();
    }

    [Fact]
    public async Task A_crash_of_the_database_under_load_loses_nothing_that_was_acknowledged()
    {
        using var stop = new CancellationTokenSource();
        var acknowledged = new ConcurrentBag<string>();
        var refusals = 0;
        var writing = Task.WhenAll(Enumerable.Range(0, 8).Select(writer => Task.Run(async () =>
        {
            for (var count = 0; !stop.IsCancellationRequested; count++)
            {
                try
                {
                    await AppendAsync($"{writer}-{count}");
                    acknowledged.Add($"{writer}-{count}");
                }
                catch (StoreUnavailableException)
                {
                    Interlocked.Increment(ref refusals);
                    await Task.Delay(10);
                }
            }
        })));

        await Eventually.HoldsAsync(() => acknowledged.Count > 200, "some writes");
        await _server.CrashAsync();
        await Eventually.HoldsAsync(() => Volatile.Read(ref refusals) > 20, "writes are refused");
        await _server.StartAgainAsync();
        var before = acknowledged.Count;
        await Eventually.HoldsAsync(() => acknowledged.Count > before + 200, "writes go on");
        await stop.CancelAsync();
        await writing;

        var stored = new HashSet<string>();
        for (var channel = 0; channel < 4; channel++)
        {
            var events = await _temp.Log.ReadSinceAsync(new ChannelName("creator", $"{channel}"), 0, 1_000_000, CancellationToken.None);
            events.Select(publication => publication.Position.Offset).ShouldBe(Enumerable.Range(1, events.Count).Select(offset => (long)offset));
            foreach (var publication in events) stored.Add(publication.Draft.Id).ShouldBeTrue("nothing is there twice");
        }

        acknowledged.Where(id => !stored.Contains(id)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_database_that_hangs_is_given_up_on_soon_and_used_again_when_it_answers()
    {
        await AppendAsync("before");
        _server.Pause();
        try
        {
            var watch = Stopwatch.StartNew();
            await Should.ThrowAsync<StoreUnavailableException>(AppendAsync("during"));
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(15));

            watch.Restart();
            var crowd = await Task.WhenAll(Enumerable.Range(0, 100).Select(async number =>
            {
                try
                {
                    await AppendAsync($"crowd-{number}");
                    return true;
                }
                catch (StoreUnavailableException)
                {
                    return false;
                }
            }));
            crowd.ShouldAllBe(hasWritten => !hasWritten);
            watch.Elapsed.ShouldBeLessThan(TimeSpan.FromSeconds(20), "most are refused at once, one finds out");
        }
        finally
        {
            _server.Resume();
        }

        await Eventually.HoldsAsync(
            async () =>
            {
                try
                {
                    await AppendAsync("after");
                    return true;
                }
                catch (StoreUnavailableException)
                {
                    return false;
                }
            },
            "the database is used again");
        (await _temp.Log.ReadChannelAsync(new ChannelName("creator", "0"), 1_000, CancellationToken.None)).Recent[0].Draft.Id.ShouldBe("before");
    }

    private async Task AppendAsync(string id) => await _temp.Log.AppendAsync(
        [
            new PublicationDraft
            {
                Channel = new ChannelName("creator", $"{Math.Abs(id.GetHashCode(StringComparison.Ordinal)) % 4 * (id.Contains('-', StringComparison.Ordinal) ? 1 : 0)}"),
                Type = "thing",
                Id = id,
                Timestamp = DateTimeOffset.UnixEpoch,
                Payload = "{}"u8.ToArray(),
            },
        ],
        CancellationToken.None);
}
