using Tidings.Realtime.History;

namespace Tidings.Server.Tests.Storage;

/// <summary>The engine's own log keeps the contract that the store's keeps.</summary>
public sealed class MemoryEventLogTests : DurableEventLogContract
{
    private readonly MemoryEventLog _log;

    public MemoryEventLogTests() => _log = new MemoryEventLog(Catalog, Clock, _ => { }, isSequenced: true);

    private protected override IDurableEventLog Durable => _log;

    protected override bool GivesUpAtOnce => true;
}
