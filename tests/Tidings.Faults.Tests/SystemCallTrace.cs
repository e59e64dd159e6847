using System.Text.RegularExpressions;

namespace Tidings.Faults.Tests;

/// <summary>One system call: where in the trace it began and ended, and with what.</summary>
internal sealed record SystemCall(string Name, string Arguments, string Result, int Began, int Ended)
{
    public bool IsOnSocket => Arguments.Contains("<socket:", StringComparison.Ordinal) || Arguments.Contains("<TCP:", StringComparison.Ordinal);

    public bool IsOnFile(string name) => Arguments.Contains($"/{name}>", StringComparison.Ordinal);

    public bool Writes(string text) => Name is not ("fsync" or "fdatasync") && Arguments.Contains(text, StringComparison.Ordinal);
}

/// <summary>Reads what <c>strace -f -y</c> wrote. A call that another thread's call came between is on two lines.</summary>
internal static partial class SystemCallTrace
{
    public static IReadOnlyList<SystemCall> Read(string file)
    {
        var calls = new List<SystemCall>();
        var open = new Dictionary<(string Thread, string Name), (string Arguments, int Began)>();
        var number = 0;
        foreach (var line in File.ReadLines(file))
        {
            number++;
            if (Resumed().Match(line) is { Success: true } resumed)
            {
                if (open.Remove((resumed.Groups[1].Value, resumed.Groups[2].Value), out var begun))
                    calls.Add(new SystemCall(resumed.Groups[2].Value, begun.Arguments + resumed.Groups[3].Value, resumed.Groups[4].Value, begun.Began, number));
            }
            else if (Unfinished().Match(line) is { Success: true } unfinished)
            {
                open[(unfinished.Groups[1].Value, unfinished.Groups[2].Value)] = (unfinished.Groups[3].Value, number);
            }
            else if (Whole().Match(line) is { Success: true } whole)
            {
                calls.Add(new SystemCall(whole.Groups[2].Value, whole.Groups[3].Value, whole.Groups[4].Value, number, number));
            }
        }

        return [.. calls.OrderBy(call => call.Began)];
    }

    [GeneratedRegex(@"^(\d+) +(\w+)\((.*)\) += (-?\d+)")]
    private static partial Regex Whole();

    [GeneratedRegex(@"^(\d+) +(\w+)\((.*) <unfinished \.\.\.>$")]
    private static partial Regex Unfinished();

    [GeneratedRegex(@"^(\d+) +<\.\.\. (\w+) resumed>(.*)\) += (-?\d+)")]
    private static partial Regex Resumed();
}
