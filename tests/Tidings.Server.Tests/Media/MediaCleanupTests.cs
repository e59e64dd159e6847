using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Server.Features.Media;
using Tidings.Server.Tests.Storage;
using Xunit;

namespace Tidings.Server.Tests.Media;

[Trait("Database", "SQLite")]
public sealed class MediaCleanupTests : IDisposable
{
    private readonly TempStore _temp = new();
    private readonly MediaFiles _files;
    private readonly MediaCleanup _cleanup;

    public MediaCleanupTests()
    {
        _files = new MediaFiles(Path.Combine(_temp.Folder, "media"));
        _cleanup = new MediaCleanup(_temp.Store, _files, _temp.Clock, NullLogger<MediaCleanup>.Instance);
    }

    public void Dispose()
    {
        _cleanup.Dispose();
        _temp.Dispose();
    }

    [Fact]
    public async Task What_nobody_uses_is_removed_after_a_day_and_nothing_else()
    {
        var now = _temp.Clock.GetUtcNow();
        var old = now - TimeSpan.FromHours(25);
        await AddAsync("unused-old", null, old);
        await AddAsync("unused-new", null, now);
        await AddAsync("used-old", "a post", old);
        await WriteAsync("no-row-old", old);
        await WriteAsync("no-row-new", now);
        await _files.ReceiveAsync("left-old", new MemoryStream([1]), 10, TestContext.Current.CancellationToken);
        File.SetLastWriteTimeUtc(Path.Combine(_temp.Folder, "media", "incoming", "left-old"), old.UtcDateTime);

        await _cleanup.RemoveAsync(TestContext.Current.CancellationToken);

        Directory.GetFiles(Path.Combine(_temp.Folder, "media"), "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order()
            .ShouldBe(["no-row-new", "unused-new", "used-old"]);
        (await _temp.Store.QueryAsync<string>("SELECT id FROM media ORDER BY id", new { }, TestContext.Current.CancellationToken)).ShouldBe(["unused-new", "used-old"]);
    }

    private async Task AddAsync(string id, string? postId, DateTimeOffset at)
    {
        await WriteAsync(id, at);
        var row = new MediaRow { Id = id, OwnerId = "7", CreatedAt = at.ToUnixTimeMilliseconds(), ContentType = "image/png", Bytes = 1 };
        await _temp.Store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(MediaRow.Sql.Insert, row);
                if (postId is not null) MediaOfPosts.Give(write, id, postId);
            },
            TestContext.Current.CancellationToken);
    }

    private async Task WriteAsync(string id, DateTimeOffset at)
    {
        await _files.ReceiveAsync(id, new MemoryStream([1]), 10, TestContext.Current.CancellationToken);
        _files.Keep(id);
        File.SetLastWriteTimeUtc(_files.PathOf(id), at.UtcDateTime);
    }
}
