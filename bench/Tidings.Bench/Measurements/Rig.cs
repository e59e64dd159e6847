using Tidings.Bench.Hosting;
using Tidings.Bench.Network;

namespace Tidings.Bench.Measurements;

/// <summary>What every measurement needs: the running server, the loop, and users.</summary>
internal sealed record Rig(EventLoop Loop, ServerProcess Server)
{
    /// <summary>A user of the host app: known to the server only by its token.</summary>
    internal static string User(int number) => $"bench-{number:D5}";

    internal static string[] Tokens(int count) =>
        [.. Enumerable.Range(0, count).Select(number => Token.For(User(number), ServerSettings.TokenSecret))];

    /// <summary>Before a window: the generator's own garbage must not pause it inside.</summary>
    internal static void CollectGarbage()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
