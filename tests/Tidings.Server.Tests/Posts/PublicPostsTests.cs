using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Server.Features.Posts;
using Xunit;

namespace Tidings.Server.Tests.Posts;

public sealed class PublicPostsTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task Above_fifty_a_second_posts_are_counted_and_none_is_lost()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var before = (await app.EventsAsync("public:posts")).Count;
        await Task.WhenAll(Enumerable.Range(0, 300).Select(_ => client.PostAsync(new { content = "a" })));
        await app.Services.GetRequiredService<PublicPostsFlush>().FlushAsync(CancellationToken.None);

        var events = (await app.EventsAsync("public:posts")).Skip(before).ToList();
        var announced = events.Count(one => one.Type == "post_created");
        var counted = events.Where(one => one.Type == "feed_update").ToList();
        announced.ShouldBeInRange(1, 250);
        counted.Sum(one => one.Payload["count"]!.GetValue<long>()).ShouldBe(300 - announced);
        counted.ShouldAllBe(one => one.Payload["reason"]!.GetValue<string>() == "new_posts");
    }

    [Fact]
    public async Task A_count_that_a_crash_left_is_told_once()
    {
        using var flush = new PublicPostsFlush(app.Store, TimeProvider.System, NullLogger<PublicPostsFlush>.Instance);
        await flush.FlushAsync(CancellationToken.None);
        var before = (await app.EventsAsync("public:posts")).Count;
        await app.Store.WriteAsync(async write => await write.ExecuteAsync("UPDATE pending_public_posts SET posts = 7 WHERE id = 3"), CancellationToken.None);

        await flush.FlushAsync(CancellationToken.None);
        await flush.FlushAsync(CancellationToken.None);

        var events = await app.EventsAsync("public:posts");
        events.Count.ShouldBe(before + 1);
        events[^1].Payload.ToJsonString().ShouldBe("""{"reason":"new_posts","count":7}""");
    }

    [Fact]
    public void The_rate_is_passed_at_fifty_and_forgotten_after_a_slow_second()
    {
        var clock = new SetClock();
        var rate = new PublicPostsRate(clock);
        bool[] Second(int posts) => [.. Enumerable.Range(0, posts).Select(_ => rate.TryAnnounce())];

        Second(50).ShouldAllBe(isAnnounced => isAnnounced);
        Second(1).ShouldBe([false]);
        clock.Seconds = 1;
        Second(10).ShouldAllBe(isAnnounced => !isAnnounced);
        clock.Seconds = 2;
        Second(50).ShouldAllBe(isAnnounced => isAnnounced);
        clock.Seconds = 3;
        Second(60).Count(isAnnounced => isAnnounced).ShouldBe(50);
        clock.Seconds = 5;
        Second(1).ShouldBe([true]);
    }

    private sealed class SetClock : TimeProvider
    {
        public long Seconds { get; set; }

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => Seconds;
    }
}
