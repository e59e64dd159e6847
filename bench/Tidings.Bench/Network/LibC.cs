using System.Runtime.InteropServices;

namespace Tidings.Bench.Network;

/// <summary>The few calls of the C library that .NET has no equal for: readiness of thousands of sockets on one thread, and signals.</summary>
internal static unsafe partial class LibC
{
    internal const int EpollAdd = 1;
    internal const int EpollModify = 3;
    internal const uint Readable = 0x001;
    internal const uint Writable = 0x004;
    internal const int WouldBlock = 11;
    internal const int Interrupted = 4;
    internal const int Terminate = 15;

    /// <summary>A broken connection is an error code here, never a signal.</summary>
    internal const int NoSignal = 0x4000;

    /// <summary>The kernel packs <c>epoll_event</c> on x86-64 only.</summary>
    internal static readonly int EventSize = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 12 : 16;

    internal static readonly int EventDataOffset = EventSize - sizeof(ulong);

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    internal static partial int EpollCreate(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    internal static partial int EpollControl(int epoll, int operation, int descriptor, byte* change);

    [LibraryImport("libc", EntryPoint = "epoll_wait", SetLastError = true)]
    internal static partial int EpollWait(int epoll, byte* events, int capacity, int milliseconds);

    [LibraryImport("libc", EntryPoint = "recv", SetLastError = true)]
    internal static partial nint Receive(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "send", SetLastError = true)]
    internal static partial nint Send(int descriptor, byte* buffer, nint length, int flags);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    internal static partial int Close(int descriptor);

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    internal static partial int Kill(int process, int signal);
}
