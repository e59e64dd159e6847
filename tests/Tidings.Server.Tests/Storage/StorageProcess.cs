using System.Diagnostics;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using Tidings.Server.Storage;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>
/// A store in a process of its own, which tests end in the middle. Its work is an explicit test method of this project, because that
/// is a program already; it is not run with the others.
/// </summary>
public sealed class StorageProcess
{
    private const string FolderVariable = "TIDINGS_TEST_FOLDER";
    private const string CountVariable = "TIDINGS_TEST_COUNT";

    /// <summary>Writes, and notes in files what it was told: each answer, and each event that was handed over.</summary>
    [Fact(Explicit = true)]
    public async Task Works_until_it_is_ended()
    {
        var folder = Environment.GetEnvironmentVariable(FolderVariable) ?? throw new InvalidOperationException("This is started by other tests.");
        var count = int.Parse(Environment.GetEnvironmentVariable(CountVariable)!, CultureInfo.InvariantCulture);
        using var answers = Note(folder, "answers");
        using var carried = Note(folder, "carried");

        using var temp = new TempStore(folder);
        temp.Store.Carrier.DeliverTo(publications =>
        {
            foreach (var publication in publications) Write(carried, publication.Sequence);
        });
        using var sweep = new EventSweep(temp.Store, temp.Clock, NullLogger<EventSweep>.Instance);
        await sweep.StartAsync(CancellationToken.None);

        for (var number = 1; number <= count; number++)
        {
            var id = number;
            await temp.Store.WriteAsync(
                async write =>
                {
                    await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (@id, 'x')", new { id });
                    write.Append(temp.Draft($"post:{id % 3}", $"{id}"));
                },
                CancellationToken.None);
            Write(answers, id);
            temp.Clock.Advance(TimeSpan.FromSeconds(5));                                 // the sweep's
        }
    }

    /// <summary>Starts it.</summary>
    /// <param name="folder">Where its store and its notes are.</param>
    /// <param name="count">How many units it writes before it ends by itself.</param>
    /// <param name="crashAt">A crash point and its hit, or nothing.</param>
    /// <param name="under">A program that runs it, with its arguments, or nothing.</param>
    internal static Process Start(string folder, int count, string crashAt = "", params string[] under)
    {
        string[] command =
        [
            .. under, "dotnet", Path.Combine(AppContext.BaseDirectory, "Tidings.Server.Tests.dll"),
            "-explicit", "only", "-method", $"{typeof(StorageProcess).FullName}.{nameof(Works_until_it_is_ended)}",
        ];
        var start = new ProcessStartInfo(command[0], command[1..]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment[FolderVariable] = folder;
        start.Environment[CountVariable] = count.ToString(CultureInfo.InvariantCulture);
        start.Environment["TIDINGS_CRASH_AT"] = crashAt;
        start.Environment["DOTNET_DbgEnableMiniDump"] = "0";
        var process = Process.Start(start)!;
        process.BeginErrorReadLine();
        process.BeginOutputReadLine();
        return process;
    }

    /// <summary>What it noted: the numbers of the units that were answered, or the places of the events that were handed over.</summary>
    internal static long[] Noted(string folder, string what)
    {
        var file = Path.Combine(folder, what);
        if (!File.Exists(file)) return [];
        return [.. File.ReadAllText(file).Split('\n').SkipLast(1).Select(line => long.Parse(line, CultureInfo.InvariantCulture))];
    }

    private static FileStream Note(string folder, string what) =>
        new(Path.Combine(folder, what), FileMode.Append, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0);

    private static void Write(FileStream note, long number) => note.Write(Encoding.ASCII.GetBytes($"{number}\n"));
}
