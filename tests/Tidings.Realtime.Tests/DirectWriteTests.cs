using System.Text;
using System.Text.RegularExpressions;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Realtime.Tests;

/// <summary>Transports that take what they can at once: nothing is lost, repeated or out of order, and what waits is counted to the byte.</summary>
public sealed class DirectWriteTests
{
    private readonly ManualClock _clock = new();

    [Theory, InlineData(1), InlineData(2), InlineData(3), InlineData(4)]
    public async Task What_a_peer_takes_in_parts_arrives_whole_and_in_order(int seed)
    {
        const int events = 150;
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        var random = new Random(seed);
        var quick = await ReaderAsync(host, "room:1", new PartialTransport(static _ => int.MaxValue));
        var slow = await ReaderAsync(host, "room:1", new PartialTransport(most => random.Next(4) == 0 ? 0 : random.Next(most + 1)));

        for (var number = 0; number < events; number++) await host.PublishAsync("room:1", $"e{number}", bytes: random.Next(2_000));

        await quick.WaitAsync(text => IdsIn(text).Count == events, "all events");
        await slow.WaitAsync(text => text.Length >= quick.Text.Length, "as many bytes");
        slow.Text.ShouldBe(quick.Text);
        IdsIn(slow.Text).ShouldBe(Enumerable.Range(0, events).Select(static number => $"e{number}"));
        await UntilAsync(() => host.Engine.Outbound.Taken == 0, "nothing waits");
    }

    [Fact]
    public async Task A_peer_that_takes_nothing_is_cut_after_a_time_and_what_waited_is_given_back()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, CloseTimeout = TimeSpan.FromSeconds(1) }, _clock);
        var room = int.MaxValue;
        var transport = new PartialTransport(_ => room) { Gate = new TaskCompletionSource() };
        await ReaderAsync(host, "room:1", transport);
        room = 0;
        await host.PublishAsync("room:1", "e1", bytes: 5_000);
        await UntilAsync(() => host.Engine.Outbound.Taken > 5_000, "it waits");

        _clock.Advance(TimeSpan.FromSeconds(20));
        transport.Connection!.MarkAlive();                 // it talks, but does not listen
        transport.Connection.IsClosing.ShouldBeFalse();
        _clock.Advance(TimeSpan.FromSeconds(11));
        await UntilAsync(() => transport.Connection.IsClosing, "it is cut");
        await UntilAsync(
            () =>
            {
                _clock.Advance(TimeSpan.FromSeconds(1)); // until the time to close is over as well
                return transport.Connection.Completion.IsCompleted;
            },
            "it is closed");

        (await transport.Connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TooSlow);
        transport.ClosedWritable.ShouldBeFalse();
        transport.Gate.SetException(new IOException("aborted"));
        await UntilAsync(() => host.Engine.Outbound.Taken == 0, "nothing waits");
    }

    [Fact]
    public async Task A_peer_whose_message_was_cut_in_two_is_not_told_why_it_is_closed()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, TotalOutboundBytes = 1_000 });
        var room = int.MaxValue;
        var transport = new PartialTransport(_ => room);
        await ReaderAsync(host, "room:1", transport);
        room = 2_000;
        await host.PublishAsync("room:1", "e1", bytes: 5_000);

        (await transport.Connection!.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TooSlow);
        transport.ClosedWritable.ShouldBeFalse("a close frame would be the rest of the message");
        host.Engine.Outbound.Taken.ShouldBe(0);
    }

    [Theory, InlineData("counter:1", 1), InlineData("ticker:1", 128)]
    public async Task A_slow_reader_of_a_channel_without_history_gets_the_newest_events_when_it_reads_on(string channel, int kept)
    {
        const int events = 400;
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, OutboundBytes = 200_000 });
        var room = int.MaxValue;
        var transport = new PartialTransport(_ => room) { Gate = new TaskCompletionSource() };
        await ReaderAsync(host, channel, transport);
        var quick = await ReaderAsync(host, channel, new PartialTransport(static _ => int.MaxValue));
        room = 0;
        for (var number = 0; number < events; number++)
        {
            await host.PublishAsync(channel, $"e{number}", bytes: 100);
            await quick.WaitAsync(text => text.Contains($" e{number} ", StringComparison.Ordinal), "each event"); // so that the slow one has been offered it, too
        }

        room = int.MaxValue;
        transport.Gate.SetResult();
        await transport.WaitAsync(text => IdsIn(text).Contains($"e{events - 1}"), "the last event");

        transport.Connection!.IsClosing.ShouldBeFalse("it is not cut");
        var ids = IdsIn(transport.Text);
        ids.ShouldBe(["e0", .. Enumerable.Range(events - kept, kept).Select(static number => $"e{number}")]);
    }

    [Fact]
    public async Task What_is_kept_for_slow_readers_of_many_channels_stays_within_what_may_wait_for_all_connections()
    {
        const int channels = 10, events = 12, limit = 50_000;
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, TotalOutboundBytes = limit });
        var room = int.MaxValue;
        var slow = new PartialTransport(_ => room) { Gate = new TaskCompletionSource() };
        await ReaderAsync(host, "ticker:0", slow);
        var quick = await ReaderAsync(host, "ticker:0", new PartialTransport(static _ => int.MaxValue));
        for (var number = 1; number < channels; number++)
            foreach (var reader in new[] { slow, quick })
                await host.Engine.HandleAsync(reader.Connection!, new SubscribeCommand(1, EngineHost.Name($"ticker:{number}"), null, null, null), CancellationToken.None);
        room = 0;
        for (var number = 0; number < channels * events; number++)
        {
            await host.PublishAsync($"ticker:{number % channels}", $"e{number}", bytes: 1_000);
            await quick.WaitAsync(text => text.Contains($" e{number} ", StringComparison.Ordinal), "each event");
            host.Engine.Outbound.Taken.ShouldBeLessThanOrEqualTo(limit);
        }

        host.Engine.Outbound.Taken.ShouldBeGreaterThan(limit * 9 / 10, "it counts");
        slow.Connection!.IsClosing.ShouldBeFalse("such channels give up events, not readers");
        slow.Connection.Close(CloseReason.Normal);
        slow.Gate.SetException(new IOException("aborted"));
        await UntilAsync(() => host.Engine.Outbound.Taken == 0, "nothing is kept for who has left");
    }

    [Fact]
    public async Task What_is_given_up_never_tears_a_message_that_was_made_for_one_reader()
    {
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1, OutboundBytes = 200_000 });
        var room = int.MaxValue;
        var transport = new PartialTransport(_ => room) { Gate = new TaskCompletionSource() };
        var connection = (await ReaderAsync(host, "room:1", transport)).Connection!;
        room = 0;
        connection.Shard.Post(() =>
        {
            for (var number = 0; number < 12; number++)
            {
                var message = connection.TakeRoom(7_100);
                message.Span.Fill((byte)'t');
                message.Span[..100].Fill((byte)'h');
                connection.QueueRoom(message);
            }
        });
        await UntilAsync(() => host.Engine.Outbound.Taken >= 12 * 7_100, "it waits");

        connection.Shard.Post(() => connection.Queue(new byte[199_000])); // too much
        await UntilAsync(() => connection.IsClosing, "it is cut");
        transport.Gate.SetResult();

        (await connection.Completion.WaitAsync(TimeSpan.FromSeconds(10))).ShouldBe(CloseReason.TooSlow);
        transport.ClosedWritable.ShouldBeTrue();
        Regex.Matches(transport.Text, "h{20,}t*").ShouldAllBe(message => message.Length == 7_100);
    }

    [Fact]
    public async Task Messages_made_for_one_reader_never_reach_another_however_often_their_memory_is_used_again()
    {
        const int readers = 5, messages = 3;
        await using var host = await EngineHost.StartAsync(new RealtimeOptions { Shards = 1 });
        var shared = Encoding.UTF8.GetBytes("[shared]");
        var transports = new List<PartialTransport>();
        for (var reader = 0; reader < readers; reader++) transports.Add(await ReaderAsync(host, "room:1", new PartialTransport(static length => length)));

        // More is taken than there is room for, so that everything is written and the same memory is the next reader's.
        transports[0].Connection!.Shard.Post(() =>
        {
            for (var reader = 0; reader < readers; reader++)
            {
                var connection = transports[reader].Connection!;
                for (var message = 0; message < messages; message++)
                {
                    connection.Queue(shared);
                    var room = connection.TakeRoom(15_000);
                    room.Span.Fill((byte)('A' + reader));
                    connection.QueueRoom(room);
                    room = connection.TakeRoom(1_000);
                    room.Span.Fill((byte)('A' + reader));
                    connection.QueueRoom(room);
                }

                connection.TakeRoom(300_000);
                connection.Shard.FlushIfDue();
            }
        });

        for (var reader = 0; reader < readers; reader++)
        {
            var own = new string((char)('A' + reader), 16_000);
            await transports[reader].WaitAsync(text => text.EndsWith(string.Concat(Enumerable.Repeat("[shared]" + own, messages)), StringComparison.Ordinal), "its own");
        }
    }

    private static async Task UntilAsync(Func<bool> condition, string what)
    {
        var startedAt = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(startedAt).ShouldBeLessThan(TimeSpan.FromSeconds(20), what);
            await Task.Yield();
        }
    }

    private static List<string> IdsIn(string text) => [.. Regex.Matches(text, "event \\S+ (e[0-9]+) ").Select(static match => match.Groups[1].Value)];

    private static async Task<PartialTransport> ReaderAsync(EngineHost host, string channel, PartialTransport transport)
    {
        var connection = host.Engine.TryConnect(new ClientIdentity("42", null), LineFormat.Instance, transport, null, out _)!;
        transport.Connection = connection;
        await host.Engine.HandleAsync(connection, new SubscribeCommand(1, EngineHost.Name(channel), null, null, null), CancellationToken.None);
        await transport.WaitAsync(text => text.Contains("subscribed", StringComparison.Ordinal), "an answer");
        return transport;
    }

    /// <summary>Takes at once as many bytes as it is told, and the rest when its gate opens.</summary>
    private sealed class PartialTransport(Func<int, int> room) : ITransport
    {
        private readonly Lock _lock = new();
        private readonly StringBuilder _text = new();
        private readonly List<(Func<string, bool> Condition, TaskCompletionSource Met)> _waiting = [];

        public Connection? Connection { get; set; }

        public TaskCompletionSource? Gate { get; init; }

        public bool ClosedWritable { get; private set; }

        public bool WritesAtOnce => true;

        public string Text
        {
            get
            {
                lock (_lock) return _text.ToString();
            }
        }

        public int TryWrite(ReadOnlySpan<byte> bytes)
        {
            var taken = Math.Min(bytes.Length, room(bytes.Length));
            Append(Encoding.UTF8.GetString(bytes[..taken]));
            return taken;
        }

        public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
        {
            if (Gate is { } gate) await gate.Task;
            else await Task.Yield();
            foreach (var piece in pieces) Append(Encoding.UTF8.GetString(piece.Span));
        }

        public ValueTask CloseAsync(CloseReason reason, bool writable)
        {
            ClosedWritable = writable;
            return ValueTask.CompletedTask;
        }

        public async Task WaitAsync(Func<string, bool> condition, string what)
        {
            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            lock (_lock)
            {
                if (condition(_text.ToString())) return;
                _waiting.Add((condition, met));
            }

            try
            {
                await met.Task.WaitAsync(TimeSpan.FromSeconds(20));
            }
            catch (TimeoutException)
            {
                throw new TimeoutException($"Waited for {what}, but saw {Text.Length} characters.");
            }
        }

        private void Append(string text)
        {
            lock (_lock)
            {
                _text.Append(text);
                if (_waiting.Count == 0) return;
                var seen = _text.ToString();
                foreach (var (condition, met) in _waiting)
                    if (condition(seen)) met.TrySetResult();
            }
        }
    }
}
