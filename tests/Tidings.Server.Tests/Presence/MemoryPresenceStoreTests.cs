using Tidings.Realtime.Presence;

namespace Tidings.Server.Tests.Presence;

public sealed class MemoryPresenceStoreTests : PresenceStoreContract
{
    private readonly FakeClock _clock = new();

    public MemoryPresenceStoreTests() => Store = new MemoryPresenceStore(_clock);

    private protected override IPresenceStore Store { get; }

    protected override TimeSpan Brief => TimeSpan.FromSeconds(30);

    protected override Task OutliveAsync()
    {
        _clock.Advance(TimeSpan.FromSeconds(31));
        return Task.CompletedTask;
    }
}
