using System.Diagnostics;
using System.Runtime.InteropServices;
using Tidings.Bench.Results;

namespace Tidings.Bench.Network;

/// <summary>
/// One thread, one epoll, all sockets. Nothing here is thread-safe, and nothing needs to be: the whole generator runs inside <see cref="RunUntil"/>.
/// </summary>
internal sealed unsafe class EventLoop : IDisposable
{
    private const int EventsPerWait = 512;
    private const int LongestWaitMilliseconds = 200;

    private readonly int _epoll;
    private readonly byte* _events;
    private Peer?[] _peers = new Peer?[1024];
    private Action? _timer;
    private long _timerAt = long.MaxValue;

    internal EventLoop()
    {
        _epoll = LibC.EpollCreate(0);
        if (_epoll < 0)
            throw new BenchException($"epoll_create1 failed with error {Marshal.GetLastPInvokeError()}.");
        _events = (byte*)NativeMemory.AllocZeroed((nuint)(LibC.EventSize * EventsPerWait));
    }

    /// <summary>
    /// How long each round over the ready sockets took, if somebody wants to know. An event may have lain in its socket for about that long
    /// before it was read, and that is the generator's doing.
    /// </summary>
    internal Samples? Rounds { get; set; }

    /// <summary>
    /// Whether it asks again at once when nothing is ready. On loopback it is the sender who pays for waking a receiver that sleeps, and a receiver
    /// sleeps the more often the slower the server is: with this, a window shows what sending costs, as to clients on other machines.
    /// </summary>
    internal bool Polls { get; set; }

    /// <summary>Ticks spent on sockets that were ready. What was spent polling is not in it.</summary>
    internal long Worked { get; private set; }

    /// <summary>Where every peer receives; valid only until the next receive.</summary>
    internal byte[] Scratch { get; } = GC.AllocateUninitializedArray<byte>(512 * 1024, pinned: true);

    internal void Add(Peer peer)
    {
        var descriptor = peer.Descriptor;
        if (descriptor >= _peers.Length)
            Array.Resize(ref _peers, Math.Max(descriptor + 1, _peers.Length * 2));
        _peers[descriptor] = peer;
        Control(LibC.EpollAdd, descriptor, LibC.Readable);
    }

    internal void WantWrite(Peer peer, bool wanted) =>
        Control(LibC.EpollModify, peer.Descriptor, wanted ? LibC.Readable | LibC.Writable : LibC.Readable);

    /// <summary>Whatever arrives is left in the kernel from now on.</summary>
    internal void Ignore(Peer peer) => Control(LibC.EpollModify, peer.Descriptor, 0);

    /// <summary>Called before the descriptor is closed; closing takes it out of the epoll set.</summary>
    internal void Forget(Peer peer) => _peers[peer.Descriptor] = null;

    /// <summary>One timer is enough: whoever paces requests sets it again from inside <paramref name="timer"/>.</summary>
    internal void At(long timestamp, Action timer)
    {
        _timerAt = timestamp;
        _timer = timer;
    }

    internal void CancelTimer() => _timerAt = long.MaxValue;

    /// <summary>Serves sockets until <paramref name="done"/> says so; false when <paramref name="limit"/> passed first.</summary>
    internal bool RunUntil(Func<bool> done, TimeSpan limit)
    {
        var deadline = Clock.After(limit);
        while (!done())
        {
            var now = Stopwatch.GetTimestamp();
            if (now >= deadline)
                return false;
            if (now >= _timerAt)
            {
                _timerAt = long.MaxValue;
                _timer!();
                // Sockets have their turn also when the timer is always set to a time that has passed.
                Wait(0);
                continue;
            }

            Wait(Math.Min(deadline, _timerAt) - now);
        }

        return true;
    }

    internal void RunFor(TimeSpan time) => RunUntil(static () => false, time);

    public void Dispose()
    {
        foreach (var peer in _peers)
            peer?.Dispose();
        _ = LibC.Close(_epoll);
        NativeMemory.Free(_events);
    }

    private void Wait(long ticks)
    {
        // Rounded down, so that the last millisecond before a timer is spent polling and the timer is on time.
        var milliseconds = (int)Math.Min(ticks * 1000 / Stopwatch.Frequency, LongestWaitMilliseconds);
        var askedAt = Stopwatch.GetTimestamp();
        var count = LibC.EpollWait(_epoll, _events, EventsPerWait, Polls ? 0 : milliseconds);
        if (count < 0 && Marshal.GetLastPInvokeError() != LibC.Interrupted)
            throw new BenchException($"epoll_wait failed with error {Marshal.GetLastPInvokeError()}.");

        var startedAt = Stopwatch.GetTimestamp();
        for (var i = 0; i < count; i++)
        {
            var item = _events + (i * LibC.EventSize);
            var ready = *(uint*)item;
            var descriptor = (int)*(ulong*)(item + LibC.EventDataOffset);
            if ((ready & ~LibC.Writable) != 0)
                _peers[descriptor]?.OnReadable();
            if ((ready & LibC.Writable) != 0)
                _peers[descriptor]?.OnWritable();
        }

        if (count <= 0)
            return;
        var endedAt = Stopwatch.GetTimestamp();
        Rounds?.Add(endedAt - startedAt);
        // Asleep until the first was ready: that is not work.
        Worked += endedAt - (Polls ? askedAt : startedAt);
    }

    private void Control(int operation, int descriptor, uint interest)
    {
        var change = stackalloc byte[16];
        *(uint*)change = interest;
        *(ulong*)(change + LibC.EventDataOffset) = (ulong)descriptor;
        if (LibC.EpollControl(_epoll, operation, descriptor, change) < 0)
            throw new BenchException($"epoll_ctl failed with error {Marshal.GetLastPInvokeError()}.");
    }
}
