using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;

namespace Tidings.Bench.Network;

/// <summary>One non-blocking TCP connection in an <see cref="EventLoop"/>; what its bytes mean is the subclass's affair.</summary>
internal abstract unsafe class Peer : IDisposable
{
    private readonly EventLoop _loop;
    private byte[]? _carry;
    private int _carried;
    private byte[]? _unsent;

    /// <param name="loop">Serves it from now on.</param>
    /// <param name="server">An IPv4 address.</param>
    /// <param name="receiveBuffer">The kernel's, in bytes; 0 leaves it to the kernel.</param>
    /// <exception cref="ConnectException">The server does not listen.</exception>
    protected Peer(EventLoop loop, IPEndPoint server, int receiveBuffer = 0)
    {
        _loop = loop;
        Descriptor = LibC.Socket(LibC.InterNetwork, LibC.StreamCloseOnExec, LibC.Tcp);
        if (Descriptor < 0)
            throw new BenchException($"No more sockets: error {Marshal.GetLastPInvokeError()}. `ulimit -n` says how many files a process may open.");
        var on = 1;
        _ = LibC.SetOption(Descriptor, LibC.Tcp, LibC.TcpNoDelay, &on, sizeof(int));
        if (receiveBuffer > 0)
            _ = LibC.SetOption(Descriptor, LibC.SocketLevel, LibC.ReceiveBuffer, &receiveBuffer, sizeof(int));

        var address = stackalloc byte[16];
        new Span<byte>(address, 16).Clear();
        *(ushort*)address = LibC.InterNetwork;
        BinaryPrimitives.WriteUInt16BigEndian(new Span<byte>(address + 2, 2), (ushort)server.Port);
        server.Address.TryWriteBytes(new Span<byte>(address + 4, 4), out _);
        // On loopback the kernel completes the handshake alone, so a blocking connect returns at once unless the server's backlog is full.
        if (LibC.Connect(Descriptor, address, 16) < 0)
        {
            var error = Marshal.GetLastPInvokeError();
            IsClosed = true;
            _ = LibC.Close(Descriptor);
            throw new ConnectException($"Connecting to {server} failed with error {error}.");
        }

        _ = LibC.FileControl(Descriptor, LibC.SetFlags, LibC.NonBlocking);
        loop.Add(this);
    }

    internal int Descriptor { get; }

    internal bool IsClosed { get; private set; }

    internal void OnReadable()
    {
        if (_carried == 0 && DiscardsWhatComes)
        {
            Discard();
            return;
        }

        var scratch = _loop.Scratch;
        if (_carried > 0)
            _carry.AsSpan(0, _carried).CopyTo(scratch);

        nint count;
        fixed (byte* start = scratch)
            count = LibC.Receive(Descriptor, start + _carried, scratch.Length - _carried, 0);

        if (IsEnd(count))
            return;
        var total = _carried + (int)count;
        var used = Consume(scratch.AsSpan(0, total));
        Keep(scratch.AsSpan(used, total - used));
    }

    internal void OnWritable()
    {
        var waiting = _unsent;
        _unsent = null;
        if (waiting is null)
            return;
        _loop.WantWrite(this, false);
        Write(waiting);
    }

    public void Dispose()
    {
        if (IsClosed)
            return;
        IsClosed = true;
        _loop.Forget(this);
        _ = LibC.Close(Descriptor);
    }

    /// <summary>Whether bytes are to be counted by <see cref="OnDiscarded"/> instead of read.</summary>
    protected virtual bool DiscardsWhatComes => false;

    /// <summary>So many bytes have come and are gone.</summary>
    protected virtual void OnDiscarded(int count)
    {
    }

    /// <summary>Takes whole messages off the front and returns how many bytes they were; the rest comes again with what follows.</summary>
    protected abstract int Consume(ReadOnlySpan<byte> received);

    protected abstract void OnClosed(string why);

    protected void Close(string why)
    {
        if (IsClosed)
            return;
        Dispose();
        OnClosed(why);
    }

    protected void Write(ReadOnlySpan<byte> bytes)
    {
        if (IsClosed)
            return;
        if (_unsent is not null)
        {
            _unsent = [.. _unsent, .. bytes];
            return;
        }

        nint sent;
        fixed (byte* start = bytes)
            sent = LibC.Send(Descriptor, start, bytes.Length, LibC.NoSignal);
        if (sent < 0)
        {
            if (Marshal.GetLastPInvokeError() is not (LibC.WouldBlock or LibC.Interrupted) and var error)
            {
                Close($"sending failed with error {error}");
                return;
            }

            sent = 0;
        }

        if (sent == bytes.Length)
            return;
        _unsent = bytes[(int)sent..].ToArray();
        _loop.WantWrite(this, true);
    }

    private void Discard()
    {
        var count = LibC.Receive(Descriptor, null, _loop.Scratch.Length, LibC.Truncate);
        if (!IsEnd(count))
            OnDiscarded((int)count);
    }

    private bool IsEnd(nint count)
    {
        if (count > 0)
            return false;
        if (count == 0)
            Close("the server closed the connection");
        else if (Marshal.GetLastPInvokeError() is not (LibC.WouldBlock or LibC.Interrupted) and var error)
            Close($"receiving failed with error {error}");
        return true;
    }

    private void Keep(ReadOnlySpan<byte> rest)
    {
        _carried = rest.Length;
        if (rest.IsEmpty)
            return;
        if (rest.Length == _loop.Scratch.Length)
            throw new BenchException("A message of the server is larger than the generator's receive buffer.");
        if (_carry is null || _carry.Length < rest.Length)
            _carry = new byte[Math.Max(rest.Length, 2048)];
        rest.CopyTo(_carry);
    }
}
