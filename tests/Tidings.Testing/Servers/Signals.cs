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

    /// <summary>
    /// Stops a process and waits until all of its threads stand still: the one that takes the signal stops the others, and on a busy machine they go on until
    /// it has its turn.
    /// </summary>
    public static void Freeze(int processId)
    {
        Send(processId, Stop);
        if (!SpinWait.SpinUntil(() => Directory.EnumerateDirectories($"/proc/{processId}/task").All(IsStopped), TimeSpan.FromSeconds(10)))
            throw new TimeoutException($"Process {processId} was sent SIGSTOP and goes on.");
    }

    /// <summary>The state stands behind the name, which is in brackets.</summary>
    private static bool IsStopped(string task)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(task, "stat"));
            return stat.AsSpan(stat.LastIndexOf(')') + 1).TrimStart() is ['T' or 'Z' or 'X', ..];
        }
        catch (IOException)
        {
            return true; // the thread has ended meanwhile
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SendSignal(int processId, int signal);
}
