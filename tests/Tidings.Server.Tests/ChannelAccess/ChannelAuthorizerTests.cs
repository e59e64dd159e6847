using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Tests.Posts;
using Xunit;

namespace Tidings.Server.Tests.ChannelAccess;

public sealed class ChannelAuthorizerTests(PostsApp app) : IClassFixture<PostsApp>
{
    [Theory]
    // channel, who may: 4 and 42 are users, _ is a visitor
    [InlineData("feed:42", "42")]
    [InlineData("user:42", "42")]
    [InlineData("notifications:42", "42")]
    [InlineData("feed:4", "4")]
    [InlineData("private-user-4", "4")] // must not open for 42
    [InlineData("private-user-42", "42")]
    [InlineData("presence-user-42", "42")]
    [InlineData("user_42", "42")]
    [InlineData("user_4", "4")]
    [InlineData("user:user-42", "")]
    [InlineData("user:4-42", "")]
    [InlineData("user_42_4", "")] // the user 42_4, who is none of them
    [InlineData("private-user-42-4", "")]
    [InlineData("feed:42.", "")]
    [InlineData("mine:42", "42")]
    [InlineData("creator:42", "4 42")]
    [InlineData("private-creator-42", "4 42")]
    [InlineData("creator:nobody", "")]
    [InlineData("creator:4%", "MALFORMED")]
    [InlineData("creator:'", "MALFORMED")]
    [InlineData("post:{post}", "4 42")]
    [InlineData("post_{post}", "4 42")]
    [InlineData("post:{deleted}", "")]
    [InlineData("post:none", "")]
    [InlineData("post:4", "")]
    [InlineData("public:posts", "4 42")]
    [InlineData("public:post", "")]
    [InlineData("public:posts.", "")]
    [InlineData("presence:online", "4 42")]
    [InlineData("presence:42", "")]
    [InlineData("broadcast:all", "4 42 _")]
    [InlineData("broadcast:some", "")]
    [InlineData("conversation:42", "")]
    [InlineData("open:anything", "4 42 _")]
    [InlineData("club:anything", "4 42")]
    [InlineData("ticket:42", "")]
    [InlineData("strange:42", "")]
    [InlineData("feed:", "MALFORMED")]
    [InlineData("feed:42 ", "MALFORMED")]
    [InlineData("Feed:42", "MALFORMED")]
    [InlineData("feed:42:4", "MALFORMED")]
    [InlineData("secret:42", "UNKNOWN")]
    public async Task Each_channel_opens_for_exactly_these(string channel, string expected)
    {
        var (post, deleted) = await PrepareAsync();
        var spelled = channel.Replace("{post}", post, StringComparison.Ordinal).Replace("{deleted}", deleted, StringComparison.Ordinal);
        var error = PostsApp.Catalog.Parse(spelled, out var name);
        if (error != ChannelNameError.None)
        {
            expected.ShouldBe(error == ChannelNameError.Malformed ? "MALFORMED" : "UNKNOWN");
            return;
        }

        var authorizer = app.Services.GetRequiredService<IChannelAuthorizer>();
        var may = new List<string>();
        foreach (var user in (string?[])["4", "42", null])
        {
            var grant = await authorizer.AuthorizeAsync(new ClientIdentity(user, null), name!, token: null, CancellationToken.None);
            if (grant.IsAllowed) may.Add(user ?? "_");
            var hasForms = grant.IsAllowed && user is not null && name!.Kind is ("feed" or "creator" or "post" or "public");
            grant.Rights.Holds($"post:p:-:{user}").ShouldBe(hasForms);
            grant.Rights.Holds("post:p:-:7").ShouldBeFalse();
        }

        string.Join(' ', may).ShouldBe(expected);
    }

    [Theory]
    [InlineData("post:p:-:42", true)]
    [InlineData("post:p:7:42", true)]
    [InlineData("post:p:-:4", false)]
    [InlineData("post:p:-:421", false)]
    [InlineData("post:p:-:7:42", false)]
    [InlineData("post:p:x:42", false)]
    [InlineData("post:42:-:", false)]
    [InlineData("post:p:42", false)]
    [InlineData("post:", false)]
    [InlineData("42", false)]
    [InlineData("Post:p:-:42", false)]
    [InlineData("", false)]
    public void A_reader_holds_the_right_to_what_the_reader_wrote(string right, bool expected) =>
        new ReaderRights(new UserRights("42", _ => Task.FromResult<HeldRights?>(null), TimeProvider.System)).Holds(right).ShouldBe(expected);

    [Theory]
    [InlineData("ticket:42", "7", "ticket:42", "7", true)]
    [InlineData("ticket:42", "7", "ticket:42", "*", true)]
    [InlineData("ticket:42", null, "ticket:42", "*", true)]
    [InlineData("ticket:42", "7", "ticket:42", "8", false)]
    [InlineData("ticket:42", null, "ticket:42", "7", false)]
    [InlineData("ticket:42", "7", "ticket:4", "7", false)]
    [InlineData("ticket:4", "7", "ticket:42", "*", false)]
    [InlineData("feed:42", "7", "feed:42", "*", false)] // the owner's, whatever a token says
    public async Task A_subscription_token_opens_its_channel_for_its_user(string channel, string? user, string named, string subject, bool expected)
    {
        PostsApp.Catalog.Parse(channel, out var name);
        var expiry = DateTimeOffset.UtcNow.AddMinutes(5).ToUnixTimeSeconds();
        var token = Sign($$"""{"sub":"{{subject}}","channel":"{{named}}","exp":{{expiry}}}""");
        var authorizer = app.Services.GetRequiredService<IChannelAuthorizer>();

        (await authorizer.AuthorizeAsync(new ClientIdentity(user, null), name!, token, CancellationToken.None)).IsAllowed.ShouldBe(expected);
        (await authorizer.AuthorizeAsync(new ClientIdentity(user, null), name!, token + "x", CancellationToken.None)).IsAllowed.ShouldBeFalse();
    }

    private static string Sign(string claims)
    {
        var text = $"{Base64Url.EncodeToString("""{"alg":"HS256"}"""u8)}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        return $"{text}.{Base64Url.EncodeToString(HMACSHA256.HashData(Encoding.UTF8.GetBytes(PostsApp.AppSecret), Encoding.UTF8.GetBytes(text)))}";
    }

    private async Task<(string Post, string Deleted)> PrepareAsync()
    {
        await app.AddUserAsync("4");
        using var client = await app.ClientAsync("42");
        var deleted = (await client.PostAsync(new { content = "a" })).Text("id");
        await client.DeleteAsync($"/api/posts/{deleted}");
        return ((await client.PostAsync(new { content = "a" })).Text("id"), deleted);
    }
}
