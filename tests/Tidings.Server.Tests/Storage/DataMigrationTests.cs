using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Postgres;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

public sealed class DataMigrationTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-move-").FullName;

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Every_row_is_there_and_the_log_goes_on_in_a_new_generation()
    {
        ulong epoch;
        using (var sqlite = Open())
        {
            var log = new SqliteEventLog(sqlite, new LogTrimming(sqlite, TempStore.Catalog, TimeProvider.System));
            await FillAsync(sqlite);
            epoch = (await log.ReadChannelAsync(new ChannelName("post", "1"), 0, None)).Epoch;
        }

        var database = await TestDatabase.NewPostgresAsync();
        var moved = await MoveAsync(database);

        moved.Single(table => table.Table == "users").Rows.ShouldBe(3);
        moved.Single(table => table.Table == "events").Rows.ShouldBe(20);
        using var temp = new TempPostgres(database);
        var snapshot = await temp.Log.ReadChannelAsync(new ChannelName("post", "1"), 100, None);
        snapshot.LastOffset.ShouldBe(20);
        snapshot.Epoch.ShouldNotBe(epoch, "positions from before are not recovered");
        snapshot.Recent.Select(publication => publication.Draft.Id).ShouldBe(Enumerable.Range(0, 20).Select(number => $"{number}"));
        (await temp.AskAsync("SELECT count(*) FROM users WHERE nickname = 'grüße ☃'")).ShouldBe(3);
        (await temp.AskAsync("SELECT count(*) FROM idempotency_keys WHERE body = '\\x00ff'")).ShouldBe(1);

        // Numbers go on behind those that are there.
        (await temp.Log.AppendAsync([StoreContract.Draft("post:1"), StoreContract.Draft("post:new")], None)).Select(publication => publication.Position.Offset).ShouldBe([21, 1]);
        await temp.Store.WriteAsync(async write => await write.ExecuteAsync(InsertKey, new { Key = "another", Body = new byte[] { 1 } }), None);
    }

    [Fact]
    public async Task A_database_that_is_not_empty_is_left_as_it_is()
    {
        using (var sqlite = Open()) await FillAsync(sqlite);
        var database = await TestDatabase.NewPostgresAsync();
        using var temp = new PostgresStore(database, TimeProvider.System, NullLoggerFactory.Instance);
        await temp.WriteAsync(async write => await write.ExecuteAsync(InsertUser, new { Id = "there already" }), None);

        (await Should.ThrowAsync<StorageStartException>(MoveAsync(database))).Message.ShouldContain("not empty");

        (await temp.QueryAsync<long>("SELECT (SELECT count(*) FROM users) + (SELECT count(*) FROM events)", new { }, None)).ShouldBe([1]);
    }

    [Fact]
    public async Task While_a_server_runs_on_the_folder_nothing_is_moved()
    {
        using var running = Open();

        (await Should.ThrowAsync<StorageStartException>(MoveAsync(await TestDatabase.NewPostgresAsync()))).Message.ShouldContain("in use");
    }

    private const string InsertUser = "INSERT INTO users (id, nickname, nickname_key, created_at) VALUES (@Id, 'grüße ☃', @Id, 0)";

    private const string InsertKey =
        "INSERT INTO idempotency_keys (user_id, key, request_hash, status, body, created_at) VALUES ('', @Key, @Body, 201, @Body, 0)";

    private static async Task FillAsync(SqliteStore sqlite)
    {
        for (var number = 0; number < 20; number++)
        {
            var id = $"{number}";
            await sqlite.WriteAsync(
                async write =>
                {
                    if (id.Length == 1 && id[0] < '3') await write.ExecuteAsync(InsertUser, new { Id = id });
                    if (id == "5") await write.ExecuteAsync(InsertKey, new { Key = "first", Body = new byte[] { 0, 255 } });
                    write.Append(StoreContract.Draft("post:1", id));
                },
                None);
        }
    }

    private Task<IReadOnlyList<MovedTable>> MoveAsync(string database) => DataMigration.RunAsync(_folder, database, TimeProvider.System, NullLoggerFactory.Instance, None);

    private SqliteStore Open() => new(_folder, TimeProvider.System, NullLoggerFactory.Instance);
}
