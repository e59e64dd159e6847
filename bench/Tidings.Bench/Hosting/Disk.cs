using System.Diagnostics;
using Tidings.Bench.Results;

namespace Tidings.Bench.Hosting;

/// <summary>What one flush to the disk costs here, without the server: the floor under every durable answer.</summary>
internal static class Disk
{
    private const int Flushes = 200;

    internal static void Describe(string folder, Report report)
    {
        var kind = DriveInfo.GetDrives()
            .Where(drive => folder.StartsWith(drive.Name, StringComparison.Ordinal))
            .MaxBy(drive => drive.Name.Length)?.DriveFormat ?? "unknown";
        var path = Path.Combine(folder, $"tidings-bench-{Environment.ProcessId}.flush");
        var page = new byte[4096];
        var samples = new Samples(Flushes);
        using (var file = File.OpenHandle(path, FileMode.Create, FileAccess.Write, FileShare.None, FileOptions.DeleteOnClose))
        {
            for (var i = 0; i < Flushes; i++)
            {
                var startedAt = Stopwatch.GetTimestamp();
                RandomAccess.Write(file, page, (long)i * page.Length);
                RandomAccess.FlushToDisk(file);
                samples.Add(Stopwatch.GetTimestamp() - startedAt);
            }
        }

        var note = kind is "tmpfs" or "ramfs" ? $"{kind}: NOT A DISK, name one by --scratch" : $"write and flush of 4 KiB, alone, on {kind}";
        report.Add("disk flush p50", samples.Percentile(50), "ms", note);
        report.Add("disk flush p99", samples.Percentile(99), "ms");
    }
}
