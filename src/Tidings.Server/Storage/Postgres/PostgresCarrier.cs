using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Postgres;

/// <summary>
/// Hands what has been committed to the publisher, on a thread of its own, so that no request waits for it. What finds no room is left to
/// the log, where the next look for changes finds it.
/// </summary>
internal sealed partial class PostgresCarrier : IDisposable
{
    private const int MostWaiting = 16_384;

    private readonly object _gate = new();
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private List<Publication> _waiting = [];
    private Action<IReadOnlyList<Publication>>? _listener;
    private bool _isClosed;

    public PostgresCarrier(ILogger logger)
    {
        _logger = logger;
        _thread = new Thread(Carry) { IsBackground = true, Name = "tidings-carrier" };
    }

    /// <summary>Names the receiver and begins.</summary>
    public void DeliverTo(Action<IReadOnlyList<Publication>> listener)
    {
        lock (_gate)
        {
            if (_listener is not null) throw new InvalidOperationException("Committed publications are handed to one receiver.");
            _listener = listener;
        }

        _thread.UnsafeStart();
    }

    /// <summary>Takes the publications of a commit; never waits. Any thread.</summary>
    public void Offer(IReadOnlyList<Publication> publications)
    {
        if (publications.Count == 0) return;
        lock (_gate)
        {
            if (_listener is null || _isClosed || _waiting.Count + publications.Count > MostWaiting) return;
            _waiting.AddRange(publications);
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Hands over what waits and ends.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }

        if (_listener is not null) _thread.Join(TimeSpan.FromSeconds(5)); // a receiver that is stuck ends with the process
    }

    private void Carry()
    {
        while (true)
        {
            List<Publication> taken;
            lock (_gate)
            {
                while (_waiting.Count == 0)
                {
                    if (_isClosed) return;
                    Monitor.Wait(_gate);
                }

                (taken, _waiting) = (_waiting, []);
            }

            // Transactions of a channel end in the order of its offsets, but their requests go on in any.
            if (taken.Count > 1) taken = [.. taken.OrderBy(static publication => publication.Sequence).ThenBy(static publication => publication.Position.Offset)];
            CrashPoints.Reached("before-carry");
            if (!TryDeliver(taken) && taken.Count > 1)
            {
                // One of them must not take the others with it. Receivers drop what they have.
                foreach (var publication in taken) TryDeliver([publication]);
            }

            CrashPoints.Reached("after-carry");
        }
    }

    private bool TryDeliver(List<Publication> publications)
    {
        try
        {
            _listener!(publications);
            return true;
        }
        catch (Exception error)
        {
            Log.ReceiverThrew(_logger, publications[0].Channel.Value, error);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2211, LogLevel.Error, "The publisher threw on events of {Channel} and others; they stay in the log.")]
        public static partial void ReceiverThrew(ILogger logger, string channel, Exception error);
    }
}
