using System.Runtime.InteropServices;

namespace Tidings.Bench.Network;

/// <summary>The few calls of the C library that .NET has no equal for: readiness of thousands of sockets on one thread, and signals.</summary>
internal static unsafe partial class LibC
{
    internal const int EpollAdd = 1;
    internal const int EpollModify = 3;
    internal const uint Readable = 0x001;
    internal const uint Writable = 0x004;
    internal const int InterNetwork = 2;
    internal const int StreamCloseOnExec = 0x80001;
    internal const int Tcp = 6;
    internal const int TcpNoDelay = 1;
    internal const int SocketLevel = 1;
    internal const int ReceiveBuffer = 8;
    internal const int SetFlags = 4;
    internal const int NonBlocking = 0x800;
    internal const int WouldBlock = 11;
    internal const int Interrupted = 4;
    internal const int Terminate = 15;

    /// <summary>A broken connection is an error code here, never a signal.</summary>
    internal const int NoSignal = 0x4000;

    /// <summary>Of TCP: what is received is thrown away instead of copied.</summary>
    internal const int Truncate = 0x20;

    /// <summary>The kernel packs <c>epoll_event</c> on x86-64 only.</summary>
    internal static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    internal static readonly int EventDataOffset = EventSize - sizeof(ulong);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "socket", SetLastError = true)]
    internal static partial int Socket(int family, int type, int protocol);

    [LibraryImport("libc", EntryPoint = "connect", SetLastError = true)]
    internal static partial int Connect(int descriptor, byte* address, int length);

    [LibraryImport("libc", EntryPoint = "setsockopt", SetLastError = true)]
    internal static partial int SetOption(int descriptor, int level, int option, int* value, int length);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    internal static partial int FileControl(int descriptor, int command, int value);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);
}
