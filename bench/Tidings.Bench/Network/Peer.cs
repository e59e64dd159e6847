using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;

namespace Tidings.Bench.Network;

/// <summary>One non-blocking TCP connection in an <see cref="EventLoop"/>; what its bytes mean is the subclass's affair.</summary>
internal abstract unsafe class Peer : IDisposable
{
    private readonly EventLoop _loop;
    private readonly Socket _socket;
    private byte[]? _carry;
    private int _carried;
    private byte[]? _unsent;

    protected Peer(EventLoop loop, IPEndPoint server)
    {
        _loop = loop;
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        // On loopback the kernel completes the handshake alone, so a blocking connect returns at once unless the server's backlog is full.
        _socket.Connect(server);
        _socket.Blocking = false;
        Descriptor = (int)_socket.Handle;
        loop.Add(this);
    }

    internal int Descriptor { get; }

    internal bool IsClosed { get; private set; }

    internal void OnReadable()
    {
        var scratch = _loop.Scratch;
        if (_carried > 0)
            _carry.AsSpan(0, _carried).CopyTo(scratch);

        nint count;
        fixed (byte* start = scratch)
            count = LibC.Receive(Descriptor, start + _carried, scratch.Length - _carried, 0);

        if (count <= 0)
        {
            if (count == 0)
                Close("the server closed the connection");
            else if (Marshal.GetLastPInvokeError() is not (LibC.WouldBlock or LibC.Interrupted) and var error)
                Close($"receiving failed with error {error}");
            return;
        }

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
        _socket.Dispose();
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
