using Shouldly;
using Tidings.Server.Auth.Jwt;
using Xunit;

namespace Tidings.Server.Tests.Auth;

public sealed class JwtValidatorTests
{
    private readonly FakeClock _clock = new();

    private long Now => _clock.GetUtcNow().ToUnixTimeSeconds();

    [Theory]
    [InlineData(3_600, nameof(JwtError.None))]
    [InlineData(0, nameof(JwtError.None))]
    [InlineData(-29, nameof(JwtError.None))]
    [InlineData(-30, nameof(JwtError.Expired))]
    [InlineData(-3_600, nameof(JwtError.Expired))]
    [InlineData(30 * 86_400, nameof(JwtError.None))]
    [InlineData((30 * 86_400) + 1, nameof(JwtError.Lifetime))]
    public void The_end_has_30_seconds_of_grace_and_is_at_most_30_days_away(int seconds, string expected) =>
        ErrorOf($$"""{"sub":"1","exp":{{Now + seconds}}}""").ToString().ShouldBe(expected);

    [Theory]
    [InlineData("")]
    [InlineData(",\"exp\":null")]
    [InlineData(",\"exp\":\"1772370000\"")]
    [InlineData(",\"exp\":1772370000.5")]
    [InlineData(",\"exp\":1772370000.0")]
    [InlineData(",\"exp\":1.77237e9")]
    [InlineData(",\"exp\":-1")]
    [InlineData(",\"exp\":99999999999999999999999999")]
    [InlineData(",\"exp\":9223372036854775807")]
    [InlineData(",\"exp\":253402300800")]
    [InlineData(",\"exp\":253402300799")]
    [InlineData(",\"exp\":true")]
    [InlineData(",\"exp\":[1772370000]")]
    public void The_end_is_an_integer_that_makes_sense(string exp) => ErrorOf($$"""{"sub":"1"{{exp}}}""").ShouldBe(JwtError.Lifetime);

    [Theory]
    [InlineData("nbf", 30, nameof(JwtError.None))]
    [InlineData("nbf", 31, nameof(JwtError.NotYetValid))]
    [InlineData("iat", 30, nameof(JwtError.None))]
    [InlineData("iat", 31, nameof(JwtError.NotYetValid))]
    public void The_beginning_has_30_seconds_of_grace(string claim, int seconds, string expected) =>
        ErrorOf($$"""{"sub":"1","exp":{{Now + 600}},"{{claim}}":{{Now + seconds}}}""").ToString().ShouldBe(expected);

    [Theory]
    [InlineData("nbf", "\"x\"")]
    [InlineData("nbf", "1.5")]
    [InlineData("iat", "-5")]
    [InlineData("iat", "null")]
    public void Times_are_integers(string claim, string value) =>
        ErrorOf($$"""{"sub":"1","exp":{{Now + 600}},"{{claim}}":{{value}}}""").ShouldBe(JwtError.Lifetime);

    [Fact]
    public void A_life_is_counted_from_its_beginning_if_that_is_told()
    {
        const int most = 30 * 86_400;
        ErrorOf($$"""{"sub":"1","iat":{{Now - most + 60}},"exp":{{Now + 60}}}""").ShouldBe(JwtError.None);
        ErrorOf($$"""{"sub":"1","iat":{{Now - most + 59}},"exp":{{Now + 60}}}""").ShouldBe(JwtError.Lifetime);
        ErrorOf($$"""{"sub":"1","iat":{{Now + 20}},"exp":{{Now + 10}}}""").ShouldBe(JwtError.Lifetime);
    }

    [Fact]
    public void Skew_and_lifetime_are_settings()
    {
        var strict = new JwtRules { ClockSkew = TimeSpan.Zero, MaxLifetime = TimeSpan.FromMinutes(5) };
        ErrorOf($$"""{"sub":"1","exp":{{Now}}}""", strict).ShouldBe(JwtError.Expired);
        ErrorOf($$"""{"sub":"1","exp":{{Now + 300}}}""", strict).ShouldBe(JwtError.None);
        ErrorOf($$"""{"sub":"1","exp":{{Now + 301}}}""", strict).ShouldBe(JwtError.Lifetime);
    }

    [Theory]
    [InlineData("\"iss\":\"https://a.example\"", nameof(JwtError.None))]
    [InlineData("\"iss\":\"https:\\/\\/a.example\"", nameof(JwtError.None))]
    [InlineData("\"iss\":\"https://a.example/\"", nameof(JwtError.Issuer))]
    [InlineData("\"iss\":[\"https://a.example\"]", nameof(JwtError.Issuer))]
    [InlineData("\"x\":1", nameof(JwtError.Issuer))]
    public void The_issuer_is_compared_if_configured(string claim, string expected) =>
        ErrorOf($$"""{"sub":"1",{{claim}},"exp":{{Now + 60}}}""", new JwtRules { Issuer = "https://a.example" }).ToString().ShouldBe(expected);

    [Theory]
    [InlineData("\"aud\":\"tidings\"", nameof(JwtError.None))]
    [InlineData("\"aud\":[\"other\",\"tidings\"]", nameof(JwtError.None))]
    [InlineData("\"aud\":[]", nameof(JwtError.Audience))]
    [InlineData("\"aud\":[\"other\"]", nameof(JwtError.Audience))]
    [InlineData("\"aud\":[\"tidings\",7]", nameof(JwtError.Audience))]
    [InlineData("\"aud\":[[\"tidings\"]]", nameof(JwtError.Audience))]
    [InlineData("\"aud\":\"tidings2\"", nameof(JwtError.Audience))]
    [InlineData("\"aud\":{\"tidings\":1}", nameof(JwtError.Audience))]
    [InlineData("\"x\":1", nameof(JwtError.Audience))]
    public void The_audience_is_compared_if_configured(string claim, string expected) =>
        ErrorOf($$"""{"sub":"1",{{claim}},"exp":{{Now + 60}}}""", new JwtRules { Audience = "tidings" }).ToString().ShouldBe(expected);

    [Theory]
    [InlineData("\"sub\":\"42\"", "42")]
    [InlineData("\"sub\":42", "42")]
    [InlineData("\"sub\":-42", "-42")]
    [InlineData("\"sub\":123456789012345678901234567890", "123456789012345678901234567890")]
    [InlineData("\"id\":\"a\"", "a")]
    [InlineData("\"userId\":7", "7")]
    [InlineData("\"userId\":7,\"id\":\"a\",\"sub\":\"s\"", "s")]
    [InlineData("\"userId\":7,\"id\":\"a\"", "a")]
    [InlineData("\"sub\":\"auth0|5f7c8ec7c33c6c004bbafe82\"", "auth0|5f7c8ec7c33c6c004bbafe82")]
    [InlineData("\"sub\":\"a@b.example\"", "a@b.example")]
    public void The_user_id_is_the_first_claim_there_is(string claims, string expected) =>
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, claims)).Jwt!.UserId.ShouldBe(expected);

    [Theory]
    [InlineData("\"x\":1")]
    [InlineData("\"sub\":\"\"")]
    [InlineData("\"sub\":null,\"id\":\"a\"")]
    [InlineData("\"sub\":4.2")]
    [InlineData("\"sub\":1e3")]
    [InlineData("\"sub\":true")]
    [InlineData("\"sub\":{\"id\":1}")]
    [InlineData("\"sub\":\"a:b\"")]
    [InlineData("\"sub\":\"a b\"")]
    [InlineData("\"sub\":\"../x\"")]
    [InlineData("\"sub\":\"*\"")]
    [InlineData("\"sub\":\"ü\"")]
    [InlineData("\"sub\":\"a\\n\"")]
    public void A_user_id_that_is_none_is_refused(string claims) =>
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, claims)).Error.ShouldBe(JwtError.UserId);

    [Fact]
    public void A_user_id_has_at_most_128_characters()
    {
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, $"\"sub\":\"{new string('a', 128)}\"")).Error.ShouldBe(JwtError.None);
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, $"\"sub\":\"{new string('a', 129)}\"")).Error.ShouldBe(JwtError.UserId);
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("a.b")]
    [InlineData("a.b.c.d")]
    [InlineData("é.é.é")]
    [InlineData("Bearer x.y.z")]
    public void What_is_no_token_is_refused(string token) => TokenForge.Validator(_clock).Validate(token).Error.ShouldBe(JwtError.Malformed);

    [Fact]
    public void Every_other_spelling_of_a_good_token_is_refused()
    {
        // 32 bytes of signature leave four stray bits in the last character: sixteen texts would decode to the same bytes.
        var token = TokenForge.Token(_clock);
        var validator = TokenForge.Validator(_clock);
        validator.Validate(token).Error.ShouldBe(JwtError.None);

        const string alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        foreach (var last in alphabet.Where(character => character != token[^1])) validator.Validate(token[..^1] + last).Jwt.ShouldBeNull();
        foreach (var other in (string[])[token + "=", token + " ", " " + token, token + "\n", token.Replace(".", ".\n", StringComparison.Ordinal), token + ".", token + "%3D"])
            validator.Validate(other).Error.ShouldBe(JwtError.Malformed);
    }

    [Fact]
    public void Not_one_character_of_a_token_can_be_changed_or_left_out()
    {
        var token = TokenForge.Token(_clock);
        var validator = TokenForge.Validator(_clock);
        for (var i = 0; i < token.Length; i++)
        {
            validator.Validate(token[..i] + (token[i] == 'A' ? 'B' : 'A') + token[(i + 1)..]).Jwt.ShouldBeNull();
            validator.Validate(token.Remove(i, 1)).Jwt.ShouldBeNull();
            validator.Validate(token[..i]).Jwt.ShouldBeNull();
        }
    }

    [Fact]
    public void Random_bytes_cause_nothing_but_a_refusal()
    {
        var random = new Random(20_260_301);
        var validator = TokenForge.Validator(_clock);
        var token = TokenForge.Token(_clock);
        for (var i = 0; i < 20_000; i++)
        {
            var text = token.ToCharArray();
            for (var edits = random.Next(1, 5); edits > 0; edits--) text[random.Next(text.Length)] = (char)random.Next(1, 300);
            var changed = new string(text);
            if (changed != token) validator.Validate(changed).Jwt.ShouldBeNull();
        }
    }

    [Fact]
    public void What_we_mint_we_accept_whatever_the_configuration()
    {
        var rules = new JwtRules { UserIdClaims = ["uid", "sub"], Issuer = "https://a.example", Audience = "x", MaxLifetime = TimeSpan.FromMinutes(10) };
        var session = Server.Auth.SessionIds.Create();
        var minted = new JwtMinter(new HmacKey(TokenForge.SecretBytes), rules, _clock).Mint("42", TimeSpan.FromHours(1), session);

        var jwt = TokenForge.Validator(_clock, rules).Validate(minted.Token).Jwt!;

        jwt.UserId.ShouldBe("42");
        jwt.SessionId.ShouldBe(session);
        jwt.ExpiresAt.ShouldBe(_clock.GetUtcNow().AddMinutes(10));
        minted.ExpiresAt.ShouldBe(jwt.ExpiresAt);
    }

    [Fact]
    public void A_sid_of_the_host_apps_sign_in_is_none_of_ours() =>
        TokenForge.Validator(_clock).Validate(TokenForge.Token(_clock, "\"sub\":\"1\",\"sid\":\"f5c1c6a0-2b1e-4a0e-9b7e-2c41fb2b6f1d\"")).Jwt!.SessionId.ShouldBeNull();

    private JwtError ErrorOf(string payload, JwtRules? rules = null) =>
        TokenForge.Validator(_clock, rules).Validate(TokenForge.Sign("""{"alg":"HS256"}""", payload)).Error;
}
