using Tidings.Server.Storage;

namespace Tidings.Server.Tests.Storage;

/// <summary>Keeps the writer busy with a unit of its own until it is released, so that what is written meanwhile becomes one group.</summary>
internal sealed class HeldWriter : IDisposable
{
    private readonly ManualResetEventSlim _release = new();
    private readonly Task _unit;

    public HeldWriter(Store store)
    {
        var started = new ManualResetEventSlim();
        _unit = store.WriteAsync(
            _ =>
            {
                started.Set();
                _release.Wait();
                return default;
            },
            CancellationToken.None);
        started.Wait();
    }

    public void Release() => _release.Set();

    public void Dispose()
    {
        Release();
        _unit.GetAwaiter().GetResult();
        _release.Dispose();
    }
}
