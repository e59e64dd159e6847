using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Returning;
using Tidings.Server.Engine;
using Tidings.Server.Storage;
using Tidings.Server.Tests.Storage;
using Tidings.Testing;
using Xunit;

namespace Tidings.Server.Tests.Engine;

/// <summary>What is remembered of connections that vanished, over a node's death and on other nodes.</summary>
public sealed class StoredReadersTests
{
    private static readonly ReaderKey Tab = new("tab", "42", "pusher");

    private static readonly ChannelName[] Channels = [new("post", "1"), new("feed", "42")];

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task What_a_killed_process_had_is_taken_over_by_the_next()
    {
        using var temp = new TempStore();
        using (var killed = await StartAsync(temp.Store))
        {
            killed.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
            await Eventually.HoldsAsync(() => temp.Ask<long>("SELECT count(*) FROM live_readers") == 1, "the reader is written");
        }

        var seenAt = DateTimeOffset.FromUnixTimeMilliseconds(temp.Ask<long>("SELECT seen_at FROM reader_nodes"));
        using var next = await StartAsync(temp.Store);
        var trace = await next.ClaimAsync("42", "pusher", CancellationToken.None);

        trace.ShouldNotBeNull().Channels.ShouldBe(Channels, ignoreOrder: true);
        trace.ReceivedThrough.ShouldBeLessThan(seenAt);
        (await next.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task Who_was_lost_a_moment_ago_is_found_before_it_is_written()
    {
        using var temp = new TempStore();
        using var readers = await StartAsync(temp.Store);
        readers.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
        var through = DateTimeOffset.UtcNow.AddSeconds(-2);

        readers.Lose(Tab, new ReaderTrace(Channels.ToHashSet(), through));
        var trace = await readers.ClaimAsync("42", "pusher", CancellationToken.None);

        trace.ShouldNotBeNull().ReceivedThrough.ShouldBe(through, TimeSpan.FromMilliseconds(1));
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task Nobody_takes_over_who_is_there_or_said_goodbye_or_is_another()
    {
        using var temp = new TempStore();
        using var readers = await StartAsync(temp.Store);
        readers.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
        (await readers.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();

        readers.Forget(Tab);
        readers.Lose(new ReaderKey("other", "43", "pusher"), new ReaderTrace(Channels.ToHashSet(), DateTimeOffset.UtcNow));
        readers.Lose(new ReaderKey("elsewhere", "42", "socketio"), new ReaderTrace(Channels.ToHashSet(), DateTimeOffset.UtcNow));

        (await readers.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task What_was_lost_as_the_process_stops_is_written()
    {
        using var temp = new TempStore();
        var stopping = await StartAsync(temp.Store);
        stopping.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
        stopping.Lose(Tab, new ReaderTrace(Channels.ToHashSet(), DateTimeOffset.UtcNow));
        await stopping.StopAsync(CancellationToken.None);
        stopping.Dispose();

        using var next = await StartAsync(temp.Store);
        (await next.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldNotBeNull();
    }

    [Fact]
    [Trait("Database", "SQLite")]
    public async Task What_is_too_old_is_forgotten_and_cleaned_up()
    {
        using var temp = new TempStore();
        using (var killed = await StartAsync(temp.Store, TimeSpan.FromMilliseconds(200)))
        {
            killed.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
            killed.Lose(new ReaderKey("lost", "42", "pusher"), new ReaderTrace(Channels.ToHashSet(), DateTimeOffset.UtcNow));
            await Eventually.HoldsAsync(() => temp.Ask<long>("SELECT count(*) FROM live_readers") == 2, "both are written");
        }

        await Task.Delay(TimeSpan.FromMilliseconds(300)); // the time itself is what is tested
        using var next = await StartAsync(temp.Store, TimeSpan.FromMilliseconds(200));
        (await next.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();
        next.Note(new ReaderKey("new", "43", "pusher"), Channels, DateTimeOffset.UtcNow.AddMinutes(-1));

        await Eventually.HoldsAsync(() => temp.Ask<long>("SELECT count(*) FROM live_readers WHERE user_id = '42'") == 0, "the old ones are gone");
    }

    [Fact]
    public async Task A_node_takes_over_from_one_that_died_and_not_from_one_that_lives()
    {
        using var temp = await TempPostgres.NewAsync();
        using var alive = await StartAsync(temp.Store);
        using var asked = await StartAsync(temp.Store);
        alive.Note(Tab, Channels, DateTimeOffset.UtcNow.AddMinutes(-1));
        await Eventually.HoldsAsync(async () => await temp.AskAsync("SELECT count(*) FROM live_readers") == 1, "the reader is written");
        (await asked.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();

        await KillAsync(alive);

        (await asked.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldNotBeNull().Channels.ShouldBe(Channels, ignoreOrder: true);
        (await asked.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task Two_nodes_never_take_over_the_same()
    {
        using var temp = await TempPostgres.NewAsync();
        using var lost = await StartAsync(temp.Store);
        using var one = await StartAsync(temp.Store);
        using var other = await StartAsync(temp.Store);
        for (var number = 0; number < 20; number++) lost.Lose(new ReaderKey($"tab-{number}", "42", "pusher"), new ReaderTrace(Channels.ToHashSet(), DateTimeOffset.UtcNow));
        await Eventually.HoldsAsync(async () => await temp.AskAsync("SELECT count(*) FROM live_readers") == 20, "all are written");

        var claims = await Task.WhenAll(Enumerable.Range(0, 30).Select(number => (number % 2 == 0 ? one : other).ClaimAsync("42", "pusher", CancellationToken.None).AsTask()));

        claims.Count(static trace => trace is not null).ShouldBe(20);
    }

    /// <summary>Ends it without what it does at a stop.</summary>
    private static async Task KillAsync(StoredReaders readers)
    {
        readers.Dispose();
        await (readers.ExecuteTask ?? Task.CompletedTask);
    }

    private static async Task<StoredReaders> StartAsync(Store store, TimeSpan? window = null)
    {
        var readers = new StoredReaders(store, TimeProvider.System, window ?? TimeSpan.FromMinutes(2), NullLogger<StoredReaders>.Instance);
        await readers.StartAsync(CancellationToken.None);
        return readers;
    }
}
