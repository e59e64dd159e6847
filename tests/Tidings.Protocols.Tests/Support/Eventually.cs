using Shouldly;

namespace Tidings.Protocols.Tests.Support;

/// <summary>Waits for conditions instead of sleeping.</summary>
internal static class Eventually
{
    public static async Task IsTrueAsync(Func<bool> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!condition())
        {
            TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TestSocket.Deadline, what);
            await Task.Yield();
        }
    }

    public static async Task IsTrueAsync(Func<Task<bool>> condition, string what)
    {
        var began = TimeProvider.System.GetTimestamp();
        while (!await condition()) TimeProvider.System.GetElapsedTime(began).ShouldBeLessThan(TestSocket.Deadline, what);
    }
}
