using System.ComponentModel;
using System.Runtime.InteropServices;

namespace Tidings.Testing.Servers;

/// <summary>Signals to one process, by its own number.</summary>
public static class Signals
{
    public const int Hangup = 1;
    public const int Quit = 3;
    public const int Kill = 9;
    public const int Terminate = 15;
    public const int Continue = 18;
    public const int Stop = 19;

    public static void Send(int processId, int signal)
    {
        if (processId <= 1) throw new ArgumentOutOfRangeException(nameof(processId), "Not a process of ours.");
        if (SendSignal(processId, signal) != 0 && Marshal.GetLastPInvokeError() is not 3 and var error) // 3: it is gone already
            throw new Win32Exception(error);
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
