namespace Tidings.Protocols.SignalR;

/// <summary>
/// The requests that the framework is serving for us. When the host stops it cuts what it carries at once: this holds it up until the
/// goodbyes are out. Safe for all threads.
/// </summary>
internal sealed class HubVisits
{
    // What a client may take to say goodbye, and a little for ourselves.
    private static readonly TimeSpan LongestGoodbye = TimeSpan.FromSeconds(3);

    private readonly object _changed = new();
    private int _inside;
    private bool _isOver;

    /// <summary>A request begins.</summary>
    /// <returns>False once the host stops and the wait is over.</returns>
    public bool TryBegin()
    {
        lock (_changed)
        {
            if (_isOver) return false;
            _inside++;
            return true;
        }
    }

    /// <summary>A request has ended.</summary>
    public void End()
    {
        lock (_changed)
        {
            if (--_inside == 0) Monitor.PulseAll(_changed);
        }
    }

    /// <summary>Waits, for a bounded time, until none is left. Called once, when all are being sent away.</summary>
    public void WaitForGoodbyes()
    {
        lock (_changed)
        {
            if (_inside > 0) Monitor.Wait(_changed, LongestGoodbye);
            _isOver = true;
        }
    }
}
