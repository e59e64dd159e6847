using Shouldly;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>The store opens what is whole and refuses everything else with a sentence; it never repairs by emptying.</summary>
[Trait("Database", "SQLite")]
public sealed class StorageStartTests : IDisposable
{
    private readonly TempStore _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Durability_is_what_it_should_be()
    {
        var (mode, synchronous, foreignKeys) = await _temp.Store.AskWriterAsync(database =>
            (database.Get("PRAGMA journal_mode").ReadSingle<string>(), database.Get("PRAGMA synchronous").ReadSingle<long>(), database.Get("PRAGMA foreign_keys").ReadSingle<long>()));

        (mode, synchronous, foreignKeys).ShouldBe(("wal", 2, 1));
        (await _temp.Store.CheckIntegrityAsync()).ShouldBeNull();
    }

    [Fact]
    public void A_second_process_in_the_folder_is_refused()
    {
        Refusal().ShouldContain("in use by another process");
        _temp.Store.Dispose();
        Refusal().ShouldBe("");
    }

    [Theory]
    [InlineData(0)]
    [InlineData(50)]
    [InlineData(5_000)]
    [InlineData(40_000)]
    public async Task A_truncated_database_is_refused_and_left_as_it_is(int length)
    {
        await FillAndCloseAsync();
        using (var file = File.OpenWrite(_temp.File)) file.SetLength(length);

        Refusal().ShouldContain(length == 0 ? "is empty" : "damaged");
        new FileInfo(_temp.File).Length.ShouldBe(length);
    }

    [Fact]
    public async Task A_database_with_flipped_bytes_is_refused_and_left_as_it_is()
    {
        await FillAndCloseAsync();
        var bytes = await File.ReadAllBytesAsync(_temp.File);
        for (var page = 4_096; page < bytes.Length; page += 4_096)
            for (var index = 0; index < 16; index++) bytes[page + index] ^= 0x5A;   // the heads of the pages
        await File.WriteAllBytesAsync(_temp.File, bytes);

        Refusal().ShouldContain("damaged");
        (await File.ReadAllBytesAsync(_temp.File)).ShouldBe(bytes);
    }

    [Fact]
    public async Task A_file_that_is_no_database_is_refused()
    {
        await FillAndCloseAsync();
        await File.WriteAllTextAsync(_temp.File, new string('x', 10_000));

        Refusal().ShouldContain("file is not a database");
    }

    [Fact]
    public async Task A_lost_database_is_not_taken_for_a_new_installation()
    {
        await FillAndCloseAsync();
        File.Delete(_temp.File);

        Refusal().ShouldSatisfyAllConditions(sentence => sentence.ShouldContain("is missing"), sentence => sentence.ShouldContain("backup"), sentence => sentence.ShouldContain("tidings.db.created"));
        File.Exists(_temp.File).ShouldBeFalse();

        File.Delete(_temp.File + ".created");
        Refusal().ShouldBe("");
    }

    [Fact]
    public async Task A_database_put_back_from_a_backup_begins_a_new_generation()
    {
        var first = await _temp.AppendAsync("post:1");
        _temp.Store.Dispose();
        File.Copy(_temp.File, _temp.File + ".backup");
        _temp.Reopen();
        var lost = await _temp.AppendAsync("post:1");
        lost.Position.Epoch.ShouldBe(first.Position.Epoch);
        _temp.Store.Dispose();

        File.Copy(_temp.File + ".backup", _temp.File, overwrite: true);
        _temp.Reopen();

        var other = await _temp.AppendAsync("post:1");
        other.Position.Offset.ShouldBe(lost.Position.Offset);
        other.Position.Epoch.ShouldNotBe(lost.Position.Epoch, "the same offset was given to another event");
        other.FeedPosition.Epoch.ShouldNotBe(lost.FeedPosition.Epoch);
        _temp.Reopen();
        (await _temp.AppendAsync("post:1")).Position.ShouldBe(other.Position with { Offset = 3 });
    }

    [Fact]
    public async Task Who_puts_back_the_whole_folder_can_ask_for_a_new_generation()
    {
        var before = await _temp.AppendAsync("post:1");
        _temp.Store.Dispose();
        await File.WriteAllTextAsync(_temp.File + ".restored", "");

        _temp.Reopen();

        (await _temp.AppendAsync("post:1")).Position.Epoch.ShouldNotBe(before.Position.Epoch);
        File.Exists(_temp.File + ".restored").ShouldBeFalse();
    }

    [Fact]
    public async Task Damage_that_comes_later_is_found_by_the_check()
    {
        await FillAndCloseAsync();
        _temp.Ask<string>("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'things') WHERE name = 'events_by_channel' RETURNING name");

        SqliteDatabase.CheckIntegrity(_temp.File).ShouldNotBeNull();
    }

    [Fact]
    public void A_change_of_the_schema_is_applied_once_and_in_order()
    {
        Migration[] grown = [.. Known(), new(9001, "more", "CREATE TABLE more (id INTEGER); INSERT INTO more VALUES (1);")];
        _temp.Store.Dispose();

        Refusal(grown).ShouldBe("");
        Refusal(grown).ShouldBe("");

        _temp.Ask<long>("SELECT count(*) FROM more").ShouldBe(1);
        _temp.Ask<string>("SELECT group_concat(version) FROM (SELECT version FROM schema_migrations ORDER BY version DESC LIMIT 2)").ShouldBe("9001,9000");
    }

    [Fact]
    public void A_change_that_fails_leaves_the_database_as_it_was()
    {
        _temp.Store.Dispose();

        Refusal([.. Known(), new(9001, "broken", "CREATE TABLE half (id INTEGER); CREATE TABLE things (id INTEGER);")]).ShouldContain("9001 (broken)");

        _temp.Ask<long>("SELECT count(*) FROM sqlite_schema WHERE name = 'half'").ShouldBe(0);
        Refusal(Known()).ShouldBe("");
    }

    [Fact]
    public void A_database_of_a_newer_version_an_edited_change_and_one_that_came_too_late_are_refused()
    {
        _temp.Store.Dispose();
        var known = Known();

        Refusal(known[..^1]).ShouldContain("does not know");
        Refusal([.. known[..^1], known[^1] with { Sql = "SELECT 2" }]).ShouldContain("never edited");
        Refusal([.. known[..^1], new(8999, "late", "SELECT 1"), known[^1]]).ShouldContain("number above all");
        Refusal([.. known[..^1], known[^1] with { Sql = known[^1].Sql.Replace("\n", "\r\n", StringComparison.Ordinal) }]).ShouldBe("", "line ends are the checkout's affair");
    }

    private Migration[] Known() => [.. _temp.KnownMigrations];

    private async Task FillAndCloseAsync()
    {
        for (var count = 0; count < 200; count++) await _temp.AppendAsync($"creator:{count}", $"{count}");
        _temp.Store.Dispose();
    }

    /// <summary>Opens and closes the store: why it did not open, or nothing if it did.</summary>
    private string Refusal(IReadOnlyList<Migration>? migrations = null)
    {
        try
        {
            using var store = new SqliteStore(_temp.Folder, _temp.Clock, _temp.Loggers, new SqliteStoreOptions { Migrations = migrations ?? _temp.KnownMigrations });
            return "";
        }
        catch (StorageStartException refused)
        {
            return refused.Message;
        }
    }
}
