using System.Globalization;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// The folder of a SQLite store: it belongs to one process at a time, and it remembers that it has held a database, so that a lost
/// file is not taken for a new installation.
/// </summary>
internal sealed class DataDirectory : IDisposable
{
    private readonly FileStream _lock;

    /// <summary>Takes the folder for this process. The system gives it back when the process ends, in whatever way.</summary>
    public DataDirectory(string path)
    {
        Path = System.IO.Path.GetFullPath(path);
        try
        {
            Directory.CreateDirectory(Path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StorageStartException($"The data directory {Path} cannot be made: {error.Message}", error);
        }

        _lock = Take();
    }

    public string Path { get; }

    public string Database => System.IO.Path.Combine(Path, "tidings.db");

    public string WriteAheadLog => Database + "-wal";

    /// <summary>Whoever puts back a backup of the whole folder makes this file: positions begin anew then.</summary>
    public string RestoredFlag => Database + ".restored";

    private string Marker => Database + ".created";

    /// <summary>Refuses to go on when there was a database and it is not there any more.</summary>
    /// <returns>Whether there is a database.</returns>
    public bool HasDatabase()
    {
        var length = LengthOf(Database);
        if (length > 0) return true;

        var what = File.Exists(Database) ? "is empty" : "is missing";
        if (File.Exists(Marker))
        {
            throw new StorageStartException(
                $"{Database} {what}, but there was a database in this folder. Put the file back from a backup; "
                + $"or, if everything in it may be lost, delete {Marker} to start with an empty one.");
        }

        if (LengthOf(WriteAheadLog) > 0)
        {
            throw new StorageStartException(
                $"{Database} {what}, but {WriteAheadLog} still holds data of it. Put both files back from a backup; "
                + "or, if everything in them may be lost, delete that file to start with an empty database.");
        }

        return false;
    }

    /// <summary>Remembers that there is a database with data in it, and how far its log has been handed out.</summary>
    public void WriteProgress(uint generation, long sequence) => File.WriteAllText(
        Marker,
        string.Create(CultureInfo.InvariantCulture, $"{generation} {sequence}\nThere is a Tidings database beside this file. Without it the server does not start.\n"));

    /// <summary>What <see cref="WriteProgress"/> wrote last; null if nothing can be made of it.</summary>
    public (uint Generation, long Sequence)? ReadProgress()
    {
        if (!File.Exists(Marker)) return null;
        var parts = File.ReadAllText(Marker).Split('\n')[0].Split(' ');
        return parts.Length == 2
            && uint.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var generation)
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var sequence)
            ? (generation, sequence)
            : null;
    }

    public void Dispose() => _lock.Dispose();

    private static long LengthOf(string file) => File.Exists(file) ? new FileInfo(file).Length : 0;

    private FileStream Take()
    {
        var file = System.IO.Path.Combine(Path, "tidings.lock");
        try
        {
            // FileShare.None is flock(2) here: the kernel releases it with the process.
            var held = new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            held.SetLength(0);
            held.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
            held.Flush();
            return held;
        }
        catch (UnauthorizedAccessException error)
        {
            throw new StorageStartException($"The data directory {Path} cannot be written to.", error);
        }
        catch (IOException error) when (File.Exists(file))
        {
            throw new StorageStartException(
                $"The data directory {Path} is in use by another process. Stop that one, or set Tidings:DataDirectory to another folder.", error);
        }
        catch (IOException error)
        {
            throw new StorageStartException($"The data directory {Path} cannot be written to: {error.Message}", error);
        }
    }
}
