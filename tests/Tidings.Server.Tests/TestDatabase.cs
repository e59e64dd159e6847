using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests;

/// <summary>
/// On which database the servers of these tests are: SQLite, or with <c>TIDINGS_TEST_DATABASE=postgres</c> PostgreSQL, each on a database
/// of its own. Tests of SQLite itself have the trait <c>Database=SQLite</c>.
/// </summary>
internal static class TestDatabase
{
    private static readonly bool IsPostgres = Environment.GetEnvironmentVariable("TIDINGS_TEST_DATABASE") switch
    {
        null or "" or "sqlite" => false,
        "postgres" => true,
        var other => throw new InvalidOperationException($"TIDINGS_TEST_DATABASE is {other}; it may be sqlite or postgres."),
    };

    /// <summary>The connection string of a new database; null for SQLite. It has patience: here many servers start at once on few cores.</summary>
    public static async Task<string?> NewAsync() => IsPostgres ? $"{await NewPostgresAsync()};Timeout=30" : null;

    /// <summary>The connection string of a new database. Without PostgreSQL the test is skipped, or fails where every test must run.</summary>
    public static async Task<string> NewPostgresAsync()
    {
        RequirePostgres();
        return await (await PostgresServer.SharedAsync()).CreateDatabaseAsync();
    }

    /// <summary>Skips the test where there is no PostgreSQL, or fails it where every test must run.</summary>
    public static void RequirePostgres()
    {
        if (PostgresServer.Missing is not { } why) return;
        if (Environment.GetEnvironmentVariable("TIDINGS_ALL_TESTS") == "1") Assert.Fail(why);
        Assert.Skip(why);
    }
}
