using Tidings.Realtime.Channels;
using Tidings.Realtime.Returning;

namespace Tidings.Realtime.Tests.Returning;

public sealed class InProcessReaderMemoryTests
{
    private static readonly ReaderTrace Trace = new(new HashSet<ChannelName> { new("room", "1") }, DateTimeOffset.UnixEpoch);

    [Fact]
    public async Task Users_who_go_and_come_back_leave_room_for_others()
    {
        var memory = new InProcessReaderMemory(TimeSpan.FromMinutes(2), new ManualClock());
        for (var number = 0; number < 250_000; number++)
        {
            memory.Lose(new ReaderKey($"c{number}", "42", "pusher"), Trace);
            if (number % 2 == 0) (await memory.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldNotBeNull();
            else memory.Forget(new ReaderKey($"c{number}", "42", "pusher"));
        }

        memory.Lose(new ReaderKey("last", "43", "pusher"), Trace);

        (await memory.ClaimAsync("43", "pusher", CancellationToken.None)).ShouldBe(Trace);
        (await memory.ClaimAsync("42", "pusher", CancellationToken.None)).ShouldBeNull();
    }

    [Fact]
    public async Task The_limit_counts_those_who_are_still_away()
    {
        var clock = new ManualClock();
        var memory = new InProcessReaderMemory(TimeSpan.FromMinutes(2), clock);
        for (var number = 0; number <= 100_000; number++) memory.Lose(new ReaderKey("c", $"{number}", "pusher"), Trace);
        (await memory.ClaimAsync("100000", "pusher", CancellationToken.None)).ShouldBeNull();

        clock.Advance(TimeSpan.FromMinutes(3));
        memory.Lose(new ReaderKey("c", "later", "pusher"), Trace);

        (await memory.ClaimAsync("later", "pusher", CancellationToken.None)).ShouldBe(Trace);
        (await memory.ClaimAsync("7", "pusher", CancellationToken.None)).ShouldBeNull();
    }
}
