using System.Net;
using System.Text.Json.Nodes;
using Shouldly;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Creators;

public sealed class ListCreatorsTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task People_are_found_by_the_beginning_of_either_name_and_wildcards_are_letters()
    {
        await app.AddUserAsync("c1", "Zora_1", "Berta Quandt");
        await app.AddUserAsync("c2", "zoraX1", "Quentin");
        await app.AddUserAsync("c3", "other%", "zo");
        using var client = await app.ClientAsync(null);

        (await FindAsync(client, "zora")).ShouldBe(["c1", "c2"], ignoreOrder: true);
        (await FindAsync(client, "ZORA_")).ShouldBe(["c1"]);
        (await FindAsync(client, "zo")).ShouldBe(["c1", "c2", "c3"], ignoreOrder: true);
        (await FindAsync(client, "qu")).ShouldBe(["c2"]);
        (await FindAsync(client, "berta q")).ShouldBe(["c1"]);
        (await FindAsync(client, "other%")).ShouldBe(["c3"]);
        (await FindAsync(client, "%")).ShouldBeEmpty();
        (await FindAsync(client, "_")).ShouldBeEmpty();
        (await FindAsync(client, "' OR 1=1 --")).ShouldBeEmpty();
        (await client.GetAsync("/api/creators/c1").JsonAsync())["creator"]!.ToJsonString().ShouldBe(
            """{"id":"c1","nickname":"Zora_1","fullName":"Berta Quandt","avatar":null,"isCreator":false,"postsCount":0,"followersCount":0,"subscribersCount":0,"isFollowing":false}""");
    }

    [Fact]
    public async Task Without_a_query_come_the_creators_with_the_most_followers()
    {
        using var popular = await app.ClientAsync("popular");
        using var plain = await app.ClientAsync("plain");
        await popular.PostAsync(new { content = "a" });
        await plain.PostAsync(new { content = "a" });
        await plain.PostAsync("/api/creators/popular/follow", null).JsonAsync(HttpStatusCode.NoContent);

        var found = (await plain.GetAsync("/api/creators?limit=2").JsonAsync())["creators"]!.AsArray();
        found.Select(creator => creator!.Text("id")).ShouldBe(["popular", "plain"]);
        found[0]!.Text("isFollowing").ShouldBe("true");
    }

    [Fact]
    public async Task A_bad_query_is_refused_and_nobody_is_not_found()
    {
        using var client = await app.ClientAsync(null);
        (await client.GetAsync("/api/creators?limit=0").JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe("invalid");
        (await client.GetAsync($"/api/creators?query={new string('a', 101)}").JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe("invalid");
        (await client.GetAsync("/api/creators?query=%00").JsonAsync(HttpStatusCode.BadRequest)).Text("code").ShouldBe("invalid");
        (await client.GetAsync("/api/creators/nobody").JsonAsync(HttpStatusCode.NotFound)).Text("code").ShouldBe("not_found");
    }

    private static async Task<List<string>> FindAsync(HttpClient client, string query)
    {
        JsonNode answer = await client.GetAsync($"/api/creators?query={Uri.EscapeDataString(query)}").JsonAsync();
        return [.. answer["creators"]!.AsArray().Select(creator => creator!.Text("id"))];
    }
}
