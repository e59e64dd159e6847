using Dapper;
using Shouldly;
using Xunit;

namespace Tidings.Server.Tests.Storage;

/// <summary>Values go into the database and come back the same, through a unit's own mapping and through Dapper's.</summary>
[Trait("Database", "SQLite")]
public sealed class MappingTests : IDisposable
{
    private static readonly DateTimeOffset At = DateTimeOffset.FromUnixTimeMilliseconds(1_767_268_800_123);
    private readonly TempStore _temp = new();

    private enum Colour
    {
        Red,
    }

    private static CancellationToken None => CancellationToken.None;

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task Each_type_of_value_comes_back_the_same()
    {
        var given = new Everything("te\0xt ☃", "", long.MinValue, int.MaxValue, true, 1.5, [0, 255], At, null, null, null, null, null, null, null);
        const string Select = "SELECT @Text AS text, @Empty AS empty, @BigNumber AS big_number, @Number AS number, @IsTrue AS is_true, @Fraction AS fraction, @Bytes AS bytes, "
            + "@CreatedAt AS created_at, @NoText AS no_text, @NoBigNumber AS no_big_number, @NoNumber AS no_number, @NoTruth AS no_truth, @NoFraction AS no_fraction, @NoBytes AS no_bytes, @NoInstant AS no_instant";

        var back = await _temp.Store.WriteAsync(async write => await write.QuerySingleOrDefaultAsync<Everything>(Select, given), None);

        (back! with { Bytes = given.Bytes }).ShouldBe(given);
        back.Bytes.ShouldBe(given.Bytes);
    }

    [Fact]
    public async Task Rows_become_records_properties_tuples_and_scalars()
    {
        await _temp.Store.WriteAsync(
            async write =>
            {
                for (var id = 1; id <= 3; id++) await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (@id, @Name)", new { id, Name = id == 3 ? null : $"n{id}" });

                (await write.QueryAsync<Thing>("SELECT id, name FROM things ORDER BY id")).ShouldBe([new(1, "n1"), new(2, "n2"), new(3, null)]);
                (await write.QueryAsync<ThingWithDefault>("SELECT id FROM things WHERE id = 1")).ShouldBe([new(1, "none")]);
                (await write.QuerySingleOrDefaultAsync<Settable>("SELECT name, id AS some_id, 1 AS ignored FROM things WHERE id = 2"))!.ShouldSatisfyAllConditions(
                    found => found.SomeId.ShouldBe(2), found => found.Name.ShouldBe("n2"));
                (await write.QueryAsync<(long Number, string? Called)>("SELECT id, name FROM things ORDER BY id DESC LIMIT 2")).ShouldBe([(3, null), (2, "n2")]);
                (await write.QueryAsync<string>("SELECT name FROM things WHERE name IS NOT NULL ORDER BY id")).ShouldBe(["n1", "n2"]);
                (await write.QuerySingleOrDefaultAsync<long?>("SELECT max(id) FROM things WHERE id > 10")).ShouldBeNull();
                (await write.QuerySingleOrDefaultAsync<Thing>("SELECT id, name FROM things WHERE id > 10")).ShouldBeNull();
                (await write.QuerySingleOrDefaultAsync<long>("INSERT INTO things (name) VALUES ('new') RETURNING id")).ShouldBe(4);
                (await write.ExecuteAsync("UPDATE things SET name = 'all'  WHERE id = 99")).ShouldBe(0);
                (await write.ExecuteAsync("INSERT INTO things (body) VALUES (@Body)", new { Body = ReadOnlyMemory<byte>.Empty })).ShouldBe(1);
                (await write.QuerySingleOrDefaultAsync<byte[]>("SELECT body FROM things WHERE id = 5")).ShouldBe([]);
            },
            None);
    }

    [Fact]
    public async Task A_mistake_is_told_with_what_to_do()
    {
        await RefusesAsync("SELECT @Missing", new { Other = 1 }, "@Missing");
        await RefusesAsync("SELECT @Colour", new { Colour = Colour.Red }, "enum");
        await RefusesAsync("SELECT @Ids", new { Ids = new[] { 1 } }, "json_each");
        await RefusesAsync("SELECT @Any", null, "none are given");
        await RefusesAsync("SELECT 1 UNION SELECT 2", null, "More than one row");
        await RefusesAsync("SELECT NULL", null, "not nullable");

        async Task RefusesAsync(string sql, object? parameters, string because) => (await Should.ThrowAsync<InvalidOperationException>(
            _temp.Store.WriteAsync(async write => await write.QuerySingleOrDefaultAsync<long>(sql, parameters), None))).Message.ShouldContain(because);
    }

    [Fact]
    public async Task Dapper_reads_the_same_records_from_the_same_columns()
    {
        await _temp.Store.WriteAsync(async write => await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (1, 'x')"), None);

        var read = await _temp.Store.ReadAsync(
            connection => connection.QuerySingleAsync<Converted>("SELECT name, id AS some_number, @At AS created_at, 1 AS is_true, NULL AS ended_at FROM things WHERE id = @Id", new { Id = 1, At }), None);

        read.ShouldBe(new Converted("x", 1, At, true, null));
        (await _temp.Store.ReadAsync(connection => connection.ExecuteScalarAsync<int>("SELECT count(*) FROM things"), None)).ShouldBe(1);
        (await _temp.Store.ReadAsync(connection => connection.ExecuteScalarAsync<bool>("SELECT EXISTS (SELECT 1 FROM things)"), None)).ShouldBeTrue();
    }

    [Fact]
    public async Task More_statements_than_are_kept_are_no_trouble()
    {
        for (var batch = 0; batch < 3; batch++)
        {
            await _temp.Store.WriteAsync(
                async write =>
                {
                    for (var number = 0; number < 400; number++) (await write.QuerySingleOrDefaultAsync<long>($"SELECT {(batch * 400) + number}")).ShouldBe((batch * 400) + number);
                },
                None);
        }
    }

    private sealed record Everything(
        string Text, string Empty, long BigNumber, int Number, bool IsTrue, double Fraction, byte[] Bytes, DateTimeOffset CreatedAt,
        string? NoText, long? NoBigNumber, int? NoNumber, bool? NoTruth, double? NoFraction, byte[]? NoBytes, DateTimeOffset? NoInstant);

    private sealed record Thing(long Id, string? Name);

    private sealed record ThingWithDefault(int Id, string Name = "none");

    private sealed record Converted(string Name, int SomeNumber, DateTimeOffset CreatedAt, bool IsTrue, DateTimeOffset? EndedAt);

    private sealed class Settable
    {
        public long SomeId { get; init; }

        public string? Name { get; set; }
    }
}
