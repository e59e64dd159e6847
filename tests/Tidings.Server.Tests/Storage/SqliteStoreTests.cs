using Dapper;
using Shouldly;
using Tidings.Server.Storage;
using Xunit;

namespace Tidings.Server.Tests.Storage;

public sealed class SqliteStoreTests : IDisposable
{
    private readonly TempStore _temp = new();

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task What_a_unit_writes_is_there_with_its_publication()
    {
        var committed = await _temp.Store.CommitAsync(
            async write =>
            {
                await write.ExecuteAsync("INSERT INTO things (id, name) VALUES (@Id, @Name)", new { Id = 7, Name = "x" });
                write.Append(_temp.Draft("post:7"));
                return await write.QuerySingleOrDefaultAsync<string>("SELECT name FROM things WHERE id = @Id", new { Id = 7 });
            },
            CancellationToken.None);

        committed.Result.ShouldBe("x");
        committed.Publications.ShouldHaveSingleItem().Position.Offset.ShouldBe(1);
        (await _temp.Store.ReadAsync(connection => connection.QuerySingleAsync<string>("SELECT name FROM things"), CancellationToken.None)).ShouldBe("x");
        (await _temp.Log.ReadChannelAsync(committed.Publications[0].Channel, 10, CancellationToken.None)).Recent.ShouldHaveSingleItem().Draft.Id.ShouldBe("1");
    }
}
