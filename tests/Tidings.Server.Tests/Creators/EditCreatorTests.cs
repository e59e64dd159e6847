using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Server.Features.Creators;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Creators;

public sealed class EditCreatorTests(PostsApp app) : IClassFixture<PostsApp>
{
    private const string Path = "/api/creators/me";

    [Fact]
    public async Task Who_does_not_want_to_be_seen_online_says_so_and_it_is_told_once()
    {
        var user = PostsApp.NewUser();
        using var client = await app.ClientAsync(user);
        var told = new List<string>();
        app.Services.GetRequiredService<MemberChanges>().Changed += told.Add;

        (await client.PatchAsJsonAsync(Path, new { }).JsonAsync()).Text("showOnline").ShouldBe("true");
        var answer = await client.PatchAsJsonAsync(Path, new { showOnline = false }).JsonAsync();
        (answer.Text("showOnline"), answer.Text("creator.id")).ShouldBe(("false", user));
        await client.PatchAsJsonAsync(Path, new { showOnline = false }).JsonAsync();
        (await client.PatchAsJsonAsync(Path, new { showOnline = (bool?)null }).JsonAsync()).Text("showOnline").ShouldBe("false");

        told.Where(id => id == user).ShouldBe([user]);
    }

    [Fact]
    public async Task Nobody_else_is_told_of_the_wish()
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        var id = (await client.PatchAsJsonAsync(Path, new { showOnline = false }).JsonAsync()).Text("creator.id");

        (await client.GetAsync($"/api/creators/{id}").JsonAsync()).ToJsonString().ShouldNotContain("nline");
    }

    [Theory]
    [InlineData("""{"showOnline":"no"}""", 400)]
    [InlineData("""{"showOnline":0}""", 400)]
    [InlineData("""[]""", 400)]
    [InlineData("""{"showOnline":false""", 400)]
    [InlineData("", 400)]
    public async Task A_bad_change_is_refused(string body, int status)
    {
        using var client = await app.ClientAsync(PostsApp.NewUser());
        await client.PatchAsync(Path, new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync((HttpStatusCode)status);
    }

    [Fact]
    public async Task Only_a_signed_in_user_who_is_there_has_wishes()
    {
        using var visitor = await app.ClientAsync(null);
        (await visitor.PatchAsJsonAsync(Path, new { showOnline = false })).StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        using var nobody = await app.ClientAsync("backend");
        (await nobody.PatchAsJsonAsync(Path, new { showOnline = false }).JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
    }
}
