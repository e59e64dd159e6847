using Tidings.Testing;
using Tidings.Testing.Clients;

namespace Tidings.Faults.Tests;

/// <summary>F10, first half: the process stands still, as in a long collection of garbage or on a host that sleeps.</summary>
public sealed class PausedServerTests(ITestOutputHelper output)
{
    [Fact]
    public async Task A_server_that_stands_still_and_goes_on_loses_nothing()
    {
        var pause = TimeSpan.FromSeconds(TestRun.Number(3, 15));
        await using var scenario = await Scenario.StartAsync();
        using var stop = new CancellationTokenSource();
        var writing = scenario.Writer.WriteAsync(50, stop.Token);
        await Eventually.HoldsAsync(() => scenario.Log.AcknowledgedCount > 50, "it is being written");

        scenario.Server.Pause();
        try
        {
            await Task.Delay(pause, TestContext.Current.CancellationToken); // the fault itself
        }
        finally
        {
            scenario.Server.Resume();
        }

        var before = scenario.Log.AcknowledgedCount;
        await Eventually.HoldsAsync(() => scenario.Log.AcknowledgedCount > before + 50, "it goes on");
        await stop.CancelAsync();
        await writing;
        await scenario.JudgeAsync();
        foreach (var reader in scenario.Readers) reader.NotRecovered.ShouldBe(0, reader.Name);
        foreach (var reader in scenario.Readers.OfType<NativeReader>()) reader.Resumed.ShouldBe(0, $"{reader.Name} answers its pings, so it stays");
        output.WriteLine($"{scenario.Log.AcknowledgedCount} acknowledged around {pause.TotalSeconds} s of standstill");
    }
}
