using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Tidings.Fuzz;

/// <summary>
/// The processor time that the calling thread has had. Beside other work the time of day says how busy the machine is, not how slow a parser is.
/// </summary>
internal static class ThreadClock
{
    private const int CpuTimeOfThread = 3; // CLOCK_THREAD_CPUTIME_ID of Linux

    /// <summary>What the thread has had so far.</summary>
    public static TimeSpan Now => GetTime(CpuTimeOfThread, out var time) == 0
        ? TimeSpan.FromSeconds(time.Seconds) + TimeSpan.FromMicroseconds(time.Nanoseconds / 1_000.0)
        : throw new Win32Exception(Marshal.GetLastPInvokeError());

    [DllImport("libc", EntryPoint = "clock_gettime", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int GetTime(int clock, out Timespec time);

    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Timespec
    {
        public readonly nint Seconds;
        public readonly nint Nanoseconds;
    }
}
