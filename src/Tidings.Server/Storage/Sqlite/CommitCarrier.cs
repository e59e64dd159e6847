using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Hands what has been committed to the publisher: in the order of the log, without holes, on a thread of its own, so that the writer
/// never waits for it. What it did not get in memory (a crash, a full queue) it reads from the log.
/// </summary>
internal sealed partial class CommitCarrier : IDisposable
{
    private const int MostWaiting = 16_384;
    private const int Page = 500;

    private readonly object _gate = new();
    private readonly Queue<IReadOnlyList<Publication>> _waiting = [];
    private readonly List<TaskCompletionSource> _sweeps = [];
    private readonly Func<CountedConnection> _open;
    private readonly Func<Reader, long, int, IReadOnlyList<Publication>> _readAfter;
    private readonly Func<long> _lastSequence;
    private readonly ILogger _logger;
    private readonly Thread _thread;
    private Action<IReadOnlyList<Publication>>? _listener;
    private Reader? _reader;
    private int _waitingPublications;
    private long _carried;
    private bool _isClosed;

    /// <param name="carried">Every event up to this place has been handed over before.</param>
    /// <param name="open">Opens a connection for reading the log; it is the carrier's own, so that no reader can keep it waiting.</param>
    /// <param name="readAfter">Reads a page of the log after a place.</param>
    /// <param name="lastSequence">The place of the newest event on disk.</param>
    /// <param name="logger">Where failures are told.</param>
    public CommitCarrier(
        long carried, Func<CountedConnection> open, Func<Reader, long, int, IReadOnlyList<Publication>> readAfter, Func<long> lastSequence, ILogger logger)
    {
        _carried = carried;
        _open = open;
        _readAfter = readAfter;
        _lastSequence = lastSequence;
        _logger = logger;
        _thread = new Thread(Carry) { IsBackground = true, Name = "tidings-carrier" };
    }

    /// <summary>Every event up to this place has been handed over. Any thread may ask.</summary>
    public long CarriedThrough => Volatile.Read(ref _carried);

    /// <summary>Names the receiver and begins; what the log has and nobody got comes first, at the first sweep or commit.</summary>
    public void DeliverTo(Action<IReadOnlyList<Publication>> listener)
    {
        lock (_gate)
        {
            if (_listener is not null) throw new InvalidOperationException("Committed publications are handed to one receiver.");
            _listener = listener;
        }

        _thread.UnsafeStart();
    }

    /// <summary>Takes the publications of a commit. Called by the writer; never waits.</summary>
    public void Offer(IReadOnlyList<Publication> group)
    {
        if (group.Count == 0) return;
        lock (_gate)
        {
            // Without room it is left to the log, from which the next group or sweep takes it.
            if (_listener is null || _waitingPublications + group.Count > MostWaiting) return;
            _waiting.Enqueue(group);
            _waitingPublications += group.Count;
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Compares the log with what was handed over and hands over what is missing.</summary>
    public Task SweepAsync()
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_isClosed || _listener is null) return Task.CompletedTask;
            _sweeps.Add(done);
            Monitor.Pulse(_gate);
        }

        return done.Task;
    }

    /// <summary>Hands over what waits in memory and ends.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isClosed = true;
            Monitor.Pulse(_gate);
        }

        if (_listener is not null && !_thread.Join(TimeSpan.FromSeconds(5))) return; // the receiver is stuck; its thread ends with the process
        _reader?.Dispose();
    }

    private void Carry()
    {
        while (true)
        {
            IReadOnlyList<Publication>? group;
            TaskCompletionSource[] sweeps = [];
            lock (_gate)
            {
                while (!_waiting.TryPeek(out _) && _sweeps.Count == 0)
                {
                    if (_isClosed) return;
                    Monitor.Wait(_gate);
                }

                if (_waiting.TryDequeue(out group))
                {
                    _waitingPublications -= group.Count;
                }
                else
                {
                    sweeps = [.. _sweeps];
                    _sweeps.Clear();
                }
            }

            try
            {
                if (group is null) CatchUp(_lastSequence());
                else if (CatchUp(group[0].Sequence - 1)) Hand(group, group[^1].Sequence);
            }
            catch (Exception error)
            {
                Log.CarrierStumbled(_logger, error);
            }

            foreach (var sweep in sweeps) sweep.TrySetResult();
        }
    }

    /// <summary>Hands over everything up to a place. False if the log cannot be read; the next sweep tries again.</summary>
    private bool CatchUp(long through)
    {
        while (_carried < through)
        {
            try
            {
                _reader ??= new Reader(_open());
                var page = _readAfter(_reader, _carried, Page).TakeWhile(publication => publication.Sequence <= through).ToList();
                if (page.Count > 0) Log.CaughtUp(_logger, page.Count, _carried);
                Hand(page, page.Count < Page ? through : page[^1].Sequence);
            }
            catch (Exception error)
            {
                // It is not for what a row holds, which is a tombstone then, but for the disk: nothing may be left out.
                Log.CannotRead(_logger, error);
                return false;
            }
        }

        return true;
    }

    private void Hand(IReadOnlyList<Publication> publications, long through)
    {
        if (through <= _carried) return;
        if (publications.Count > 0 && publications[0].Sequence <= _carried) publications = [.. publications.SkipWhile(publication => publication.Sequence <= _carried)];

        CrashPoints.Reached("before-carry");
        if (publications.Count > 0 && !TryDeliver(publications) && publications.Count > 1)
        {
            // One of them must not take the others with it. Receivers drop what they have.
            foreach (var publication in publications) TryDeliver([publication]);
        }

        Volatile.Write(ref _carried, through);
        CrashPoints.Reached("after-carry");
    }

    private bool TryDeliver(IReadOnlyList<Publication> publications)
    {
        try
        {
            _listener!(publications);
            return true;
        }
        catch (Exception error)
        {
            Log.ReceiverThrew(_logger, publications[0].Sequence, publications[^1].Sequence, error);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(2201, LogLevel.Information, "{Count} events after {Sequence} are handed over from the log.")]
        public static partial void CaughtUp(ILogger logger, int count, long sequence);

        [LoggerMessage(2202, LogLevel.Warning, "The log cannot be read for handing over; the next sweep tries again.")]
        public static partial void CannotRead(ILogger logger, Exception error);

        [LoggerMessage(2203, LogLevel.Error, "The publisher threw on the events {First} to {Last}; they stay in the log.")]
        public static partial void ReceiverThrew(ILogger logger, long first, long last, Exception error);

        [LoggerMessage(2204, LogLevel.Error, "Handing over committed events failed.")]
        public static partial void CarrierStumbled(ILogger logger, Exception error);
    }
}
