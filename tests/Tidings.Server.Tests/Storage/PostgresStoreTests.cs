using Dapper;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Shouldly;
using Tidings.Realtime.History;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.Storage;

public sealed class PostgresStoreTests : StoreContract, IAsyncLifetime
{
    private readonly RecordingLoggers _loggers = new();
    private TempPostgres _temp = null!;

    private protected override Store Store => _temp.Store;

    private protected override IDurableEventLog Log => _temp.Log;

    private protected override Task<long> AskAsync(string sql) => _temp.AskAsync(sql);

    public async ValueTask InitializeAsync() => _temp = await TempPostgres.NewAsync(loggers: _loggers);

    public ValueTask DisposeAsync()
    {
        _temp?.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Units_that_lock_each_other_are_run_again()
    {
        await Store.WriteAsync(async write => await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (1, '0'), (2, '0')"), None);
        var meeting = new Barrier(2);
        var runs = 0;

        await Task.WhenAll(AddAsync(1, 2), AddAsync(2, 1));

        runs.ShouldBeGreaterThan(2);
        (await AskAsync("SELECT sum(name::bigint) FROM things")).ShouldBe(4);

        Task AddAsync(int first, int second) => Task.Run(() => Store.WriteAsync(
            async write =>
            {
                var isFirstRun = Interlocked.Increment(ref runs) <= 2;
                await write.ExecuteAsync("UPDATE things SET name = (name::bigint + 1)::text WHERE id = @Id", new { Id = first });
                if (isFirstRun) meeting.SignalAndWait(TimeSpan.FromSeconds(10));
                await write.ExecuteAsync("UPDATE things SET name = (name::bigint + 1)::text WHERE id = @Id", new { Id = second });
            },
            None));
    }

    [Fact]
    public async Task A_comment_for_update_locks_what_is_found()
    {
        await Store.WriteAsync(async write => await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (1, '0')"), None);

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => Store.WriteAsync(
            async write =>
            {
                var name = await write.QuerySingleOrDefaultAsync<string>("SELECT name FROM things WHERE id = @Id /*FOR UPDATE*/", new { Id = 1 });
                await write.ExecuteAsync("UPDATE things SET name = @Name WHERE id = 1", new { Name = $"{int.Parse(name!, System.Globalization.CultureInfo.InvariantCulture) + 1}" });
            },
            None))));

        (await ThingsAsync()).ShouldBe(["20"]);
    }

    [Fact]
    public async Task A_unit_that_goes_on_after_a_failed_statement_leaves_nothing_behind()
    {
        await Should.ThrowAsync<InvalidOperationException>(Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "x" });
                try
                {
                    await write.ExecuteAsync(InsertThing, new { Id = 1, Name = "again" });
                }
                catch (PostgresException)
                {
                    // As if it did not matter.
                }
            },
            None));

        (await ThingsAsync()).ShouldBeEmpty();
    }

    [Fact]
    public async Task Two_nodes_that_start_together_change_the_schema_once()
    {
        var database = await TestDatabase.NewPostgresAsync();

        await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(() => Start(database).Dispose())));

        var here = Start(database);
        var there = Start(database);
        there.Positions.ShouldBe(here.Positions);
        (await here.QueryAsync<long>("SELECT version FROM schema_migrations ORDER BY version", new { }, None)).ShouldBe(PostgresDatabase.Migrations.Select(step => (long)step.Version));
        here.Dispose();
        there.Dispose();
    }

    [Fact]
    public async Task A_schema_of_a_newer_version_is_left_alone()
    {
        await Should.ThrowAsync<StorageStartException>(Task.Run(() => Start(_temp.ConnectionString)));
    }

    [Theory]
    [InlineData("Host=127.0.0.1;Port=1;Database=x;Username=x", "cannot be reached")]
    [InlineData("Database=not_there", "There is no database")]
    [InlineData("Username=somebody_else", "does not let somebody_else in")]
    public async Task What_is_wrong_with_the_database_is_told_in_a_sentence(string change, string sentence)
    {
        var settings = new NpgsqlConnectionStringBuilder(await TestDatabase.NewPostgresAsync());
        foreach (var (key, value) in new NpgsqlConnectionStringBuilder(change)) settings[key] = value;

        Should.Throw<StorageStartException>(() => Start(settings.ToString())).Message.ShouldContain(sentence);
    }

    [Fact]
    public async Task Without_the_right_to_make_tables_it_says_whom_to_grant_what()
    {
        var database = await TestDatabase.NewPostgresAsync();
        await using (var connection = new NpgsqlConnection(database + ";Pooling=false"))
        {
            await connection.OpenAsync();
            await connection.ExecuteAsync("REVOKE CREATE ON SCHEMA public FROM PUBLIC; DROP ROLE IF EXISTS little; CREATE ROLE little LOGIN");
        }

        var settings = new NpgsqlConnectionStringBuilder(database) { Username = "little" };
        Should.Throw<StorageStartException>(() => Start(settings.ToString())).Message.ShouldContain("Make little the owner of the database");
    }

    [Fact]
    public async Task A_server_that_may_lose_what_it_acknowledged_is_warned_of()
    {
        await using var server = await PostgresServer.StartAsync("fsync = off", "synchronous_commit = off");
        using var store = new PostgresStore(await server.CreateDatabaseAsync(), TimeProvider.System, _loggers);

        _loggers.Lines.Where(line => line.Contains("may lose what it has acknowledged", StringComparison.Ordinal)).Count().ShouldBe(2);
    }

    private static PostgresStore Start(string database) => new(database, TimeProvider.System, NullLoggerFactory.Instance);
}
