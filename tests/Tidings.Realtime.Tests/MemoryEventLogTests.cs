using Tidings.Realtime.History;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

public sealed class MemoryEventLogTests
{
    private readonly ManualClock _clock = new();
    private readonly MemoryEventLog _log;

    public MemoryEventLogTests() => _log = new MemoryEventLog(EngineHost.Catalog, _clock, _ => { }, isSequenced: true);

    [Fact]
    public async Task Looking_at_a_channel_stores_nothing_and_its_epoch_stays()
    {
        var before = await _log.ReadChannelAsync(EngineHost.Name("room:1"), 10, CancellationToken.None);
        await _log.TrimAsync(CancellationToken.None);
        var publication = await AppendAsync("room:1");

        before.LastOffset.ShouldBe(0);
        publication.Position.ShouldBe(new Position(before.Epoch, 1));
    }

    [Fact]
    public async Task Age_empties_a_history_but_offsets_go_on()
    {
        await AppendAsync("room:1");
        await AppendAsync("room:1");
        _clock.Advance(TimeSpan.FromHours(25));

        (await _log.TrimAsync(CancellationToken.None)).ShouldBe(2);

        var snapshot = await _log.ReadChannelAsync(EngineHost.Name("room:1"), 10, CancellationToken.None);
        (snapshot.LastOffset, snapshot.TrimmedThrough, snapshot.Recent.Count).ShouldBe((2L, 2L, 0));
        (await AppendAsync("room:1")).Position.Offset.ShouldBe(3);
    }

    [Fact]
    public async Task A_history_keeps_as_many_events_as_its_rules_say()
    {
        for (var number = 0; number < 60; number++) await AppendAsync("room:1");

        var snapshot = await _log.ReadChannelAsync(EngineHost.Name("room:1"), 100, CancellationToken.None);
        (snapshot.LastOffset, snapshot.TrimmedThrough, snapshot.Recent.Count).ShouldBe((60L, 10L, 50));
    }

    private async Task<Publication> AppendAsync(string channel)
    {
        var draft = new PublicationDraft
        {
            Channel = EngineHost.Name(channel),
            Type = "said",
            Id = "x",
            Timestamp = _clock.GetUtcNow(),
            Payload = "{}"u8.ToArray(),
        };
        return (await _log.AppendAsync([draft], CancellationToken.None))[0];
    }
}
