using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Posts;

/// <summary>Says once a second in public:posts how many posts were only counted. The count is in the database until it was said.</summary>
internal sealed class PublicPostsFlush : BackgroundService
{
    private readonly Store _store;
    private readonly TimeProvider _clock;
    private readonly FlushLoop _loop;

    public PublicPostsFlush(Store store, TimeProvider clock, ILogger<PublicPostsFlush> logger)
    {
        _store = store;
        _clock = clock;
        _loop = new FlushLoop("the count of public posts", TimeSpan.FromSeconds(1), FlushAsync, clock, logger);
    }

    /// <summary>The count is kept in so many rows, numbered from 0: any will do, and not all writers wait for the same one.</summary>
    public const int Rows = 16;

    /// <summary>Says that there is a count.</summary>
    public void Wake() => _loop.Wake();

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => _loop.RunAsync(stoppingToken);

    /// <summary>Publishes the count and sets it back, or does nothing if it is zero.</summary>
    public Task FlushAsync(CancellationToken cancellationToken)
    {
        var now = _clock.GetUtcNow();
        return _store.WriteAsync(
            async write =>
            {
                var counts = await write.QueryAsync<(long Id, long Posts)>(Sql.Read);
                if (counts.Count == 0) return;
                foreach (var (id, _) in counts) await write.ExecuteAsync(Sql.Reset, new { Id = id });
                await write.AppendAsync(new PublicPostsCounted(counts.Sum(count => count.Posts), now));
            },
            cancellationToken);
    }

    private static class Sql
    {
        public const string Read = "SELECT id, posts FROM pending_public_posts WHERE posts > 0 ORDER BY id /*FOR UPDATE*/";
        public const string Reset = "UPDATE pending_public_posts SET posts = 0 WHERE id = @Id";
    }
}
