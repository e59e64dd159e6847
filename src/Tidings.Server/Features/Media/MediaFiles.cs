using System.Buffers;

namespace Tidings.Server.Features.Media;

/// <summary>
/// The folder of uploaded files, which nodes share. A file is written below <c>incoming</c> and appears under its id when it is whole and on
/// disk; it is never changed afterwards. Safe for all threads and several processes.
/// </summary>
internal sealed class MediaFiles(string folder)
{
    private const int BufferBytes = 64 * 1024;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private string Incoming => Path.Combine(folder, "incoming");

    /// <summary>Where a file is. By the end of its id, which is random; the beginning is the time.</summary>
    public string PathOf(string id) => Path.Combine(folder, id[^2..], id);

    /// <summary>Writes a file of at most so many bytes. It is not there before <see cref="Keep"/>.</summary>
    /// <returns>How many bytes it has; null if it would have more.</returns>
    public async Task<long?> ReceiveAsync(string id, Stream content, long maxBytes, CancellationToken cancellationToken)
    {
        MakeFolder(Incoming);
        var buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            await using var file = new FileStream(IncomingPathOf(id), NewFile());
            var written = 0L;
            int read;
            while ((read = await content.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0)
            {
                written += read;
                if (written > maxBytes) return null;
                await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
            }

            file.Flush(flushToDisk: true);
            return written;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>The beginning of a file that was received.</summary>
    public async Task<byte[]> ReadHeadAsync(string id, int bytes, CancellationToken cancellationToken)
    {
        using var file = File.OpenHandle(IncomingPathOf(id), options: FileOptions.Asynchronous);
        var head = new byte[Math.Min(bytes, RandomAccess.GetLength(file))];
        var read = 0;
        while (read < head.Length)
        {
            var more = await RandomAccess.ReadAsync(file, head.AsMemory(read), read, cancellationToken).ConfigureAwait(false);
            if (more == 0) break;
            read += more;
        }

        return head[..read];
    }

    /// <summary>Makes a file that was received visible. Its name is on disk with the commit that follows, which makes the system write both.</summary>
    public void Keep(string id)
    {
        MakeFolder(Path.GetDirectoryName(PathOf(id))!);
        File.Move(IncomingPathOf(id), PathOf(id));
    }

    /// <summary>Takes away what was received and is not kept. It does no harm twice.</summary>
    public void Discard(string id) => File.Delete(IncomingPathOf(id));

    /// <summary>Takes a file away; who reads it now reads on. It does no harm twice, and what can't be taken away now is found later.</summary>
    public void Delete(string id)
    {
        try
        {
            File.Delete(PathOf(id));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Its row is gone, so nobody is shown it; the next cleanup tries again.
        }
    }

    /// <summary>The ids of files older than this, in no order.</summary>
    public IEnumerable<string> OlderThan(DateTimeOffset instant)
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (var part in Directory.EnumerateDirectories(folder))
        {
            if (part == Incoming) continue;
            foreach (var file in new DirectoryInfo(part).EnumerateFiles())
                if (file.LastWriteTimeUtc < instant) yield return file.Name;
        }
    }

    /// <summary>Takes away what was begun before this and never kept.</summary>
    public void DiscardOlderThan(DateTimeOffset instant)
    {
        if (!Directory.Exists(Incoming)) return;
        foreach (var file in new DirectoryInfo(Incoming).EnumerateFiles())
            if (file.LastWriteTimeUtc < instant) file.Delete();
    }

    private string IncomingPathOf(string id) => Path.Combine(Incoming, id);

    private static FileStreamOptions NewFile()
    {
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, Options = FileOptions.Asynchronous };
        if (!OperatingSystem.IsWindows()) options.UnixCreateMode = OwnerOnly;
        return options;
    }

    private static void MakeFolder(string path)
    {
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(path);
        else Directory.CreateDirectory(path, OwnerOnly | UnixFileMode.UserExecute);
    }
}
