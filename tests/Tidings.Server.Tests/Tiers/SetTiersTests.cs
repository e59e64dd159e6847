using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Shouldly;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.Tiers;

public sealed class SetTiersTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Fact]
    public async Task A_new_list_takes_the_place_of_the_old_and_everybody_sees_it()
    {
        var creator = PostsApp.NewUser();
        using var client = await app.ClientAsync(creator);
        using var visitor = await app.ClientAsync(null);

        await PutAsync(client, """[{"name":"Silver","level":1,"price":3},{"name":"Gold","level":2,"price":10.50,"currency":"USD"}]""", HttpStatusCode.OK);
        var answer = await PutAsync(client, """[{"name":"Gold","level":2,"price":10.50,"currency":"USD"},{"name":"Bronze","level":1,"price":0.000000001}]""", HttpStatusCode.OK);

        const string expected = """[{"name":"Bronze","level":1,"price":0.000000001,"currency":"SOL"},{"name":"Gold","level":2,"price":10.50,"currency":"USD"}]""";
        answer.ToJsonString().ShouldBe(expected);
        var shown = (await visitor.GetAsync($"/api/creators/{creator}").JsonAsync())["tiers"]!;
        shown.ToJsonString().ShouldBe(expected.Replace("10.50", "10.5", StringComparison.Ordinal));

        await PutAsync(client, "[]", HttpStatusCode.OK);
        (await visitor.GetAsync($"/api/creators/{creator}").JsonAsync())["tiers"]!.AsArray().ShouldBeEmpty();
    }

    [Theory]
    [InlineData("""[{"level":1,"price":3}]""", "[0].name")]
    [InlineData("""[{"name":" ","level":1,"price":3}]""", "[0].name")]
    [InlineData("""[{"name":"a","level":0,"price":3}]""", "[0].level")]
    [InlineData("""[{"name":"a","price":3}]""", "[0].level")]
    [InlineData("""[{"name":"a","level":1.5,"price":3}]""", "[0].level")]
    [InlineData("""[{"name":"a","level":1}]""", "[0].price")]
    [InlineData("""[{"name":"a","level":1,"price":-1}]""", "[0].price")]
    [InlineData("""[{"name":"a","level":1,"price":"3"}]""", "[0].price")]
    [InlineData("""[{"name":"a","level":1,"price":2000000000}]""", "[0].price")]
    [InlineData("""[{"name":"a","level":1,"price":0.0000000000000000001}]""", "[0].price")]
    [InlineData("""[{"name":"a","level":1,"price":1,"currency":"$"}]""", "[0].currency")]
    [InlineData("""[{"name":"a","level":1,"price":1},{"name":"b","level":1,"price":2}]""", "[1].level")]
    [InlineData("""[{"name":"a","level":1,"price":1},{"name":"A","level":2,"price":2}]""", "[1].name")]
    [InlineData("[null]", "[0]")]
    public async Task What_is_wrong_is_named_and_changes_nothing(string body, string field)
    {
        var creator = PostsApp.NewUser();
        using var client = await app.ClientAsync(creator);
        await PutAsync(client, """[{"name":"Old","level":1,"price":3}]""", HttpStatusCode.OK);

        var problem = await PutAsync(client, body, HttpStatusCode.BadRequest);

        problem.Text("code").ShouldBe("invalid");
        problem["errors"]!.AsObject().Select(error => error.Key).ShouldBe([field]);
        (await client.GetAsync($"/api/creators/{creator}").JsonAsync())["tiers"]![0]!.Text("name").ShouldBe("Old");
    }

    [Fact]
    public async Task A_visitor_sells_nothing()
    {
        using var visitor = await app.ClientAsync(null);
        using var response = await visitor.PutAsync("/api/creators/me/tiers", new StringContent("[]", Encoding.UTF8, "application/json"));
        response.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
    }

    private static Task<JsonNode> PutAsync(HttpClient client, string body, HttpStatusCode status) =>
        client.PutAsync("/api/creators/me/tiers", new StringContent(body, Encoding.UTF8, "application/json")).JsonAsync(status);
}
