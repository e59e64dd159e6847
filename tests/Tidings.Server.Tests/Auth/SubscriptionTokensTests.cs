using System.Text;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Auth;

public sealed class SubscriptionTokensTests
{
    private const string AppSecret = "u8Jd2kQm5TzXc0Rw7LbVn3HsYf6GpEa9iOqW1tKr";

    private readonly FakeClock _clock = new();
    private readonly SubscriptionTokens _tokens;
    private readonly ChannelName _room = new("room", "1");

    public SubscriptionTokensTests()
    {
        var configuration = new ConfigurationBuilder()
            .AddInMemoryCollection(new Dictionary<string, string?> { ["Tidings:Channels:room:Access"] = "token" }).Build();
        _tokens = new SubscriptionTokens(OptionsReader.Read(configuration), new HostSecrets(TokenForge.Secret, "key", AppSecret), _clock);
    }

    [Theory]
    [InlineData("\"sub\":\"42\",\"channel\":\"room:1\"", true)]
    [InlineData("\"sub\":\"*\",\"channel\":\"room:1\"", true)]
    [InlineData("\"sub\":\"42\",\"channel\":\"room_1\"", true)]
    [InlineData("\"sub\":\"42\",\"channel\":\"private-room-1\"", true)]
    [InlineData("\"sub\":\"4\",\"channel\":\"room:1\"", false)]
    [InlineData("\"sub\":\"42\",\"channel\":\"room:12\"", false)]
    [InlineData("\"sub\":\"42\",\"channel\":\"*\"", false)]
    [InlineData("\"sub\":\"42\",\"channel\":[\"room:1\"]", false)]
    [InlineData("\"sub\":\"42\"", false)]
    [InlineData("\"id\":\"42\",\"channel\":\"room:1\"", false)]
    [InlineData("\"channel\":\"room:1\"", false)]
    public void A_token_opens_one_channel_for_one_user_or_all(string claims, bool isAllowed) =>
        (_tokens.Find(Token(claims), "42", _room) is not null).ShouldBe(isAllowed);

    [Fact]
    public void A_visitor_needs_a_token_for_everyone()
    {
        _tokens.Find(Token("\"sub\":\"*\",\"channel\":\"room:1\""), null, _room).ShouldNotBeNull();
        _tokens.Find(Token("\"sub\":\"42\",\"channel\":\"room:1\""), null, _room).ShouldBeNull();
    }

    [Fact]
    public void A_token_that_is_over_opens_nothing()
    {
        var token = Token("\"sub\":\"42\",\"channel\":\"room:1\"");
        _clock.Advance(TimeSpan.FromHours(2));
        _tokens.Find(token, "42", _room).ShouldBeNull();
    }

    [Fact]
    public void Neither_kind_of_token_passes_for_the_other()
    {
        const string claims = "\"sub\":\"42\",\"channel\":\"room:1\"";
        _tokens.Find(TokenForge.Token(_clock, claims), "42", _room).ShouldBeNull();
        TokenForge.Validator(_clock).Validate(Token(claims)).Error.ShouldBe(JwtError.Signature);
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, "\"sub\":\"*\"")).Error.ShouldBe(JwtError.UserId);
    }

    private string Token(string claims) => TokenForge.Token(_clock, claims, secret: Encoding.UTF8.GetBytes(AppSecret));
}
