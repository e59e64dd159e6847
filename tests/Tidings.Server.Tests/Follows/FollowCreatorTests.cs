using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Publications;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Follows;

public sealed class FollowCreatorTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_follow_counts_once_is_told_once_and_attaches_from_here_on()
    {
        var (me, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(me);
        using var theirs = await app.ClientAsync(creator);
        await theirs.PostAsync(new { content = "before the follow" });
        var path = $"/api/creators/{creator}/follow";

        foreach (var _ in (int[])[1, 2]) (await mine.PostAsync(path, null)).StatusCode.ShouldBe(HttpStatusCode.NoContent);

        var followed = (await app.EventsAsync($"feed:{me}")).ShouldHaveSingleItem();
        followed.Payload.ToJsonString().ShouldBe($$"""{"reason":"followed","creatorId":"{{creator}}"}""");
        followed.Whole.Draft.Effect.ShouldBe(new ChannelEffect(ChannelEffectKind.Attach, new ChannelName("creator", creator)));
        var view = await mine.GetAsync($"/api/creators/{creator}").JsonAsync();
        view.Text("creator.followersCount").ShouldBe("1");
        view.Text("creator.isFollowing").ShouldBe("true");

        var sources = await app.Services.GetRequiredService<IFeedSources>().ReadAsync(new ChannelName("feed", me), CancellationToken.None);
        sources.Select(source => source.Channel).ShouldBe([new ChannelName("creator", me), new ChannelName("creator", creator)], ignoreOrder: true);
        sources.Single(source => source.Channel.Id == me).Since.ShouldBe(0);
        var since = sources.Single(source => source.Channel.Id == creator).Since;
        if (app.Store.IsPostgres) since.ShouldBeInRange(1, followed.Whole.Sequence - 1, "transactions of others may be open");
        else since.ShouldBe(followed.Whole.Sequence - 1);

        foreach (var _ in (int[])[1, 2]) (await mine.DeleteAsync(path)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        var events = await app.EventsAsync($"feed:{me}");
        events.Count.ShouldBe(2);
        events[1].Payload.Text("reason").ShouldBe("unfollowed");
        events[1].Whole.Draft.Effect!.Kind.ShouldBe(ChannelEffectKind.Detach);
        (await mine.GetAsync($"/api/creators/{creator}").JsonAsync()).Text("creator.followersCount").ShouldBe("0");
        (await app.Services.GetRequiredService<IFeedSources>().ReadAsync(new ChannelName("feed", me), CancellationToken.None)).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Parallel_follows_of_one_user_count_once()
    {
        var (me, creator) = (PostsApp.NewUser(), PostsApp.NewUser());
        using var mine = await app.ClientAsync(me);
        await app.AddUserAsync(creator);
        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => mine.PostAsync($"/api/creators/{creator}/follow", null)));
        (await mine.GetAsync($"/api/creators/{creator}").JsonAsync()).Text("creator.followersCount").ShouldBe("1");
        (await app.EventsAsync($"feed:{me}")).Count.ShouldBe(1);
    }

    [Fact]
    public async Task Nobody_follows_themselves_or_somebody_who_is_not_there()
    {
        var me = PostsApp.NewUser();
        using var client = await app.ClientAsync(me);
        using var visitor = await app.ClientAsync(null);
        (await client.PostAsync($"/api/creators/{me}/follow", null).JsonAsync(HttpStatusCode.UnprocessableEntity)).Text("code").ShouldBe("self_follow");
        (await client.PostAsync("/api/creators/nobody/follow", null).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await client.DeleteAsync("/api/creators/nobody/follow").JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
        (await visitor.PostAsync($"/api/creators/{me}/follow", null)).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
