using System.Threading.Channels;

namespace Tidings.Server.Events;

/// <summary>
/// Runs a flush of durable marks: at start, soon after <see cref="Wake"/>, and once in a while for marks that nobody told of; never twice
/// within the interval. So a mark of a crashed process is finished, the first change after quiet goes out at once, and many become one.
/// </summary>
internal sealed partial class FlushLoop(string name, TimeSpan interval, Func<CancellationToken, Task> flush, TimeProvider clock, ILogger logger)
{
    private static readonly TimeSpan Patrol = TimeSpan.FromSeconds(5);

    private readonly Channel<bool> _wakes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Says that there are marks. Any thread; call it after the commit.</summary>
    public void Wake() => _wakes.Writer.TryWrite(true);

    /// <summary>Runs until it is cancelled. A flush that fails is logged and tried again.</summary>
    public async Task RunAsync(CancellationToken stopping)
    {
        try
        {
            while (true)
            {
                await FlushOnceAsync(stopping).ConfigureAwait(false);
                await Task.Delay(interval, clock, stopping).ConfigureAwait(false);
                await WaitAsync(stopping).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // What is left has its mark.
        }
    }

    private async Task FlushOnceAsync(CancellationToken stopping)
    {
        try
        {
            await flush(stopping).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // The marks are still there, whatever it was: the next patrol finds them.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            Log.FlushFailed(logger, name, exception);
        }
    }

    private async Task WaitAsync(CancellationToken stopping)
    {
        using var patrol = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var timer = clock.CreateTimer(static source => ((CancellationTokenSource)source!).Cancel(), patrol, Patrol, Timeout.InfiniteTimeSpan);
        try
        {
            await _wakes.Reader.ReadAsync(patrol.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!stopping.IsCancellationRequested)
        {
            // Time for a patrol.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(3001, LogLevel.Error, "Flushing {Name} failed; its marks stay and are tried again.")]
        public static partial void FlushFailed(ILogger logger, string name, Exception exception);
    }
}
