using System.Net.Sockets;
using Npgsql;

namespace Tidings.Server.Storage.Postgres;

/// <summary>Tells faults of the database from mistakes in a statement.</summary>
internal static class PostgresFaults
{
    /// <summary>Whether two transactions stood in each other's way, so that one that runs again may succeed.</summary>
    public static bool IsRepeatable(Exception error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure };

    /// <summary>Whether the connection is gone and not the statement wrong.</summary>
    public static bool IsLostConnection(Exception error) => error switch
    {
        PostgresException { SqlState: "57P01" or "57P02" or "57P03" or "57P05" or "25P03" } => true,
        PostgresException => false,
        NpgsqlException { InnerException: TimeoutException } => false,
        NpgsqlException or IOException or SocketException or ObjectDisposedException => true,
        _ => false,
    };

    /// <summary>The exception with which the store answers; null if the error is about the statement or its data.</summary>
    public static StoreUnavailableException? UnavailabilityOf(Exception error) =>
        error as StoreUnavailableException ?? (SentenceOf(error) is { } sentence ? new StoreUnavailableException(sentence, error) : null);

    private static string? SentenceOf(Exception error) => error switch
    {
        PostgresException { SqlState: "53100" } => "The disk of the database is full.",
        PostgresException { SqlState: "25006" } => "The database cannot be written to.",
        PostgresException { SqlState: "57014" or "55P03" } => "The database took too long.",
        PostgresException { SqlState: "40001" or "40P01" } => "Too many write the same at once.",
        PostgresException { SqlState: ['5', '3' or '7' or '8', ..] or ['0', '8', ..] or "25P03" } => "The database does not take work now.",
        PostgresException { SqlState: ['2', '8', ..] or "3D000" } => "The database does not let the server in.",
        PostgresException { SqlState: ['X', 'X', ..] } => "The database is damaged.",
        PostgresException => null,
        NpgsqlException { InnerException: TimeoutException } or TimeoutException => "The database does not answer in time.",
        NpgsqlException or IOException or SocketException or ObjectDisposedException => "The database cannot be reached.",
        _ => null,
    };
}
