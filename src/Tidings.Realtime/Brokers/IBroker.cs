using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Brokers;

/// <summary>
/// Carries publications between nodes, this one included. It may lose, repeat and reorder: positions and the log repair that.
/// </summary>
internal interface IBroker
{
    /// <summary>Sends publications to every node. Never blocks on a slow node and never throws for one.</summary>
    void Carry(IReadOnlyList<Publication> publications);

    /// <summary>Names who takes what arrives. Called once, before the first publication.</summary>
    void DeliverTo(Action<IReadOnlyList<Publication>> receiver);
}
