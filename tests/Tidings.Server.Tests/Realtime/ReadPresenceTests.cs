using System.Net;
using Shouldly;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Realtime;

public sealed class ReadPresenceTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Theory]
    [InlineData("presence:online", 200, null)]
    [InlineData("presence_online", 200, null)]
    [InlineData("user:7", 404, "no_presence")]
    [InlineData("unknown:7", 404, "unknown_channel")]
    [InlineData("no%20name", 400, "invalid")]
    [InlineData("presence:a%20b", 400, "invalid")]
    public async Task A_backend_asks_who_is_in_a_channel(string name, int status, string? code)
    {
        using var backend = await app.ClientAsync("backend");
        var answer = await backend.GetAsync($"/api/realtime/channels/{name}/presence").JsonAsync((HttpStatusCode)status);
        if (code is not null) answer.Text("code").ShouldBe(code);
        else answer.ToJsonString().ShouldBe("""{"channel":"presence:online","members":[],"count":0}""");
    }

    [Fact]
    public async Task Users_and_visitors_may_not()
    {
        using var user = await app.ClientAsync(PostsApp.NewUser());
        using var visitor = await app.ClientAsync(null);
        (await user.GetAsync("/api/realtime/channels/presence:online/presence")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await visitor.GetAsync("/api/realtime/channels/presence:online/presence")).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }
}
