using System.Globalization;
using System.Security.Cryptography;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>
/// Decides at start whether the database is the one that gave out the latest positions. One that was put back from a backup would give
/// the same offsets to other events, and a client could not tell; so the log begins a new generation, and everybody refetches.
/// </summary>
internal static partial class LogGeneration
{
    /// <summary>
    /// Begins a new generation if somebody asked for it (a file <c>tidings.db.restored</c>, which is what a restore of the whole folder
    /// leaves behind) or if the database is behind what the folder remembers to have handed out.
    /// </summary>
    /// <returns>The generation that holds from here on.</returns>
    public static uint Settle(StatementCache database, DataDirectory directory, long lastSequence, ILogger logger)
    {
        var current = (uint)Read(database, "log_generation");
        var isAsked = File.Exists(directory.RestoredFlag);
        if (!isAsked && (directory.ReadProgress() is not { } remembered || remembered.Generation != current || remembered.Sequence <= lastSequence)) return current;

        uint next;
        do next = BitConverter.ToUInt32(RandomNumberGenerator.GetBytes(sizeof(uint)));
        while (next == 0 || next == current);

        database.Run("BEGIN IMMEDIATE");
        Write(database, "log_generation", next);
        Write(database, "carried_through", Math.Min(Read(database, "carried_through"), lastSequence));
        database.Run("COMMIT");
        directory.WriteProgress(next, lastSequence);
        if (isAsked) File.Delete(directory.RestoredFlag);
        Log.Begun(logger, next.ToString(CultureInfo.InvariantCulture));
        return next;
    }

    public static long Read(StatementCache database, string key) => database.Get("SELECT value FROM meta WHERE key = ?1").Bind(1, key).ReadSingle<long>();

    private static void Write(StatementCache database, string key, long value) =>
        database.Get("UPDATE meta SET value = ?2 WHERE key = ?1").Bind(1, key).Bind(2, value).Run();

    private static partial class Log
    {
        [LoggerMessage(2004, LogLevel.Warning, "The database was put back from a backup: the log begins generation {Generation}, and clients refetch instead of resuming.")]
        public static partial void Begun(ILogger logger, string generation);
    }
}
