using Tidings.Bench.Network;

namespace Tidings.Bench.Contenders;

/// <summary>
/// The floor again, but the generator throws events away unread in the kernel and counts bytes only. Where the server's figure is the same as
/// with everything read, the reading does not limit it: the check that the generator is fast enough.
/// </summary>
internal sealed class CountedFloor : Floor
{
    internal override string Name => "floor-counted";

    internal override string Title => "floor, bytes counted";

    internal override Dialect Dialect => new PlainDialect { CountsOnly = true };
}
