namespace Tidings.Testing.Checks;

/// <summary>
/// For a suite as an assembly fixture: when the last test has run, says how much was looked through, and fails if any locked text was where it must not be.
/// </summary>
public sealed class CanarySuite : IAsyncDisposable
{
    /// <inheritdoc />
    public ValueTask DisposeAsync()
    {
        Console.WriteLine(CanaryWatch.Shared.Summary);
        CanaryWatch.Shared.Verify();
        return ValueTask.CompletedTask;
    }
}
