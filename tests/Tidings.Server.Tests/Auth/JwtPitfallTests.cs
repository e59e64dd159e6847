using System.Security.Cryptography;
using System.Text;
using Shouldly;
using Tidings.Server.Auth.Jwt;
using Xunit;

namespace Tidings.Server.Tests.Auth;

/// <summary>What is known to go wrong with tokens, one after the other.</summary>
public sealed class JwtPitfallTests
{
    private readonly FakeClock _clock = new();

    [Theory]
    [InlineData("""{"alg":"none"}""")]
    [InlineData("""{"alg":"None"}""")]
    [InlineData("""{"alg":"nOnE"}""")]
    [InlineData("""{"alg":""}""")]
    [InlineData("""{"alg":null}""")]
    [InlineData("""{"alg":["HS256"]}""")]
    [InlineData("""{"typ":"JWT"}""")]
    [InlineData("""{}""")]
    [InlineData("""{"alg":"hs256"}""")]
    [InlineData("""{"alg":"HS384"}""")]
    [InlineData("""{"alg":"HS512"}""")]
    [InlineData("""{"alg":"PS256"}""")]
    [InlineData("""{"alg":"ES256K"}""")]
    [InlineData("""{"alg":"EdDSA"}""")]
    [InlineData("""{"alg":"HS256 "}""")]
    public void Only_the_three_algorithms_exist(string header)
    {
        ErrorOf(TokenForge.Token(_clock, header: header)).ShouldBe(JwtError.Unsupported);
        var unsigned = string.Join('.', TokenForge.Token(_clock, header: header).Split('.')[..2]) + ".";
        ErrorOf(unsigned).ShouldBe(JwtError.Unsupported);
    }

    [Fact]
    public void An_unsigned_token_is_refused_whatever_its_header_says() =>
        ErrorOf(string.Join('.', TokenForge.Token(_clock).Split('.')[..2]) + ".").ShouldBe(JwtError.Malformed);

    [Fact]
    public async Task The_public_key_is_no_secret_for_HS256()
    {
        using var rsa = RSA.Create(2048);
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(rsa, "a")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        var payload = $$"""{"sub":"42","exp":{{_clock.GetUtcNow().ToUnixTimeSeconds() + 60}}}""";
        (await validator.ValidateAsync(TokenForge.Sign("""{"alg":"RS256","kid":"a"}""", payload, rsa), CancellationToken.None)).Error.ShouldBe(JwtError.None);

        foreach (var text in (string[])[rsa.ExportRSAPublicKeyPem(), rsa.ExportSubjectPublicKeyInfoPem(), TokenForge.Jwk(rsa, "a")])
        {
            var token = TokenForge.Sign("""{"alg":"HS256","kid":"a"}""", payload, Encoding.UTF8.GetBytes(text));
            (await validator.ValidateAsync(token, CancellationToken.None)).Error.ShouldBe(JwtError.Signature);
        }
    }

    [Fact]
    public async Task A_key_does_no_other_algorithms_work()
    {
        using var rsa = RSA.Create(2048);
        using var ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(rsa, "r"), TokenForge.Jwk(ecdsa, "e")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        foreach (var header in (string[])["""{"alg":"ES256","kid":"r"}""", """{"alg":"RS256","kid":"e"}"""])
        {
            (await validator.ValidateAsync(TokenForge.Sign(header, """{"sub":"42","exp":1}""", rsa), CancellationToken.None)).Error.ShouldBe(JwtError.UnknownKey);
            (await validator.ValidateAsync(TokenForge.Sign(header, """{"sub":"42","exp":1}""", ecdsa), CancellationToken.None)).Error.ShouldBe(JwtError.UnknownKey);
        }
    }

    [Theory]
    [InlineData("../../x")]
    [InlineData("..")]
    [InlineData("'; DROP TABLE users; --")]
    [InlineData("\\\"")]
    [InlineData("a\\u0000b")]
    [InlineData("a b")]
    [InlineData("{}")]
    [InlineData("k\\u00e9y")]
    [InlineData("")]
    public async Task A_kid_is_a_plain_name_or_the_token_is_refused_unasked(string kid)
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet());
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        foreach (var algorithm in (string[])["HS256", "RS256"])
        {
            var token = TokenForge.Token(_clock, header: $$"""{"alg":"{{algorithm}}","kid":"{{kid}}"}""");
            (await validator.ValidateAsync(token, CancellationToken.None)).Error.ShouldBe(JwtError.Malformed);
        }

        endpoint.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData(128, nameof(JwtError.None))]
    [InlineData(129, nameof(JwtError.Malformed))]
    [InlineData(5_000, nameof(JwtError.Malformed))]
    [InlineData(10_240, nameof(JwtError.Malformed))]
    public void A_kid_has_at_most_128_characters(int length, string expected) =>
        ErrorOf(TokenForge.Token(_clock, header: $$"""{"alg":"HS256","kid":"{{new string('k', length)}}"}""")).ToString().ShouldBe(expected);

    [Theory]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("""["a"]""")]
    public void A_kid_that_is_no_text_is_refused(string kid) =>
        ErrorOf(TokenForge.Token(_clock, header: $$"""{"alg":"HS256","kid":{{kid}}}""")).ShouldBe(JwtError.Malformed);

    [Fact]
    public async Task A_token_that_brings_its_own_key_is_judged_by_ours()
    {
        using var rsa = RSA.Create(2048);
        using var endpoint = new JwksEndpoint(TokenForge.KeySet());
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        var own = $$"""
            "jwk":{{TokenForge.Jwk(rsa)}},"jku":"https://evil.example/keys","x5u":"https://evil.example/cert","x5c":["MIIB"]
            """;

        (await validator.ValidateAsync(TokenForge.Sign($$"""{"alg":"RS256",{{own}}}""", """{"sub":"42","exp":9}""", rsa), CancellationToken.None))
            .Error.ShouldBe(JwtError.UnknownKey);
        endpoint.Requests.ShouldAllBe(uri => uri.Host == "sign-in.example");
        ErrorOf(TokenForge.Token(_clock, header: $$"""{"alg":"HS256",{{own}}}""")).ShouldBe(JwtError.None);
    }

    [Fact]
    public async Task A_forged_issuer_causes_no_request()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet());
        var validator = TokenForge.Validator(_clock, new JwtRules { Issuer = "https://sign-in.example" }, endpoint.Keys(_clock));

        var token = TokenForge.Token(_clock, "\"sub\":\"42\",\"iss\":\"https://169.254.169.254/\"");
        (await validator.ValidateAsync(token, CancellationToken.None)).Error.ShouldBe(JwtError.Issuer);
        endpoint.Requests.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("crit", """["exp"]""")]
    [InlineData("crit", "[]")]
    [InlineData("b64", "false")]
    [InlineData("enc", "\"A128GCM\"")]
    [InlineData("zip", "\"DEF\"")]
    [InlineData("cty", "\"JWT\"")]
    [InlineData("typ", "\"logout+jwt\"")]
    [InlineData("typ", "\"dpop+jwt\"")]
    [InlineData("typ", "7")]
    public void A_header_that_asks_for_more_is_refused(string name, string value) =>
        ErrorOf(TokenForge.Token(_clock, header: $$"""{"alg":"HS256","{{name}}":{{value}}}""")).ShouldBe(JwtError.Unsupported);

    [Theory]
    [InlineData("JWT")]
    [InlineData("jwt")]
    [InlineData("at+jwt")]
    [InlineData("application/at+JWT")]
    public void The_usual_types_are_accepted(string type) =>
        ErrorOf(TokenForge.Token(_clock, header: $$"""{"alg":"HS256","typ":"{{type}}"}""")).ShouldBe(JwtError.None);

    [Theory]
    [InlineData("""{"alg":"HS256","alg":"HS256"}""")]
    [InlineData("""{"alg":"HS256","\u0061lg":"none"}""")]
    [InlineData("""{"alg":"HS256","kid":"a","kid":"b"}""")]
    [InlineData("""{"alg":"HS256","x":1,"x":1}""")]
    [InlineData("""{"alg":"HS256"}{}""")]
    [InlineData("""{"alg":"HS256",}""")]
    [InlineData("""["HS256"]""")]
    [InlineData("""{"alg":"HS256","x":[[[[[[[[1]]]]]]]]}""")]
    [InlineData("not json")]
    [InlineData("""{"alg":"HS256" /* no */}""")]
    public void A_header_with_duplicates_depth_or_bad_syntax_is_refused(string header) =>
        ErrorOf(TokenForge.Token(_clock, header: header)).ShouldBe(JwtError.Malformed);

    [Theory]
    [InlineData("\"sub\":\"1\",\"sub\":\"2\"")]
    [InlineData("\"sub\":\"1\",\"s\\u0075b\":\"2\"")]
    [InlineData("\"sub\":\"1\",\"x\":1,\"x\":2")]
    [InlineData("\"sub\":\"1\",\"exp\":99999999999")]
    [InlineData("\"sub\":\"1\",\"x\":[[[[[[[[1]]]]]]]]")]
    [InlineData("\"sub\":\"\\ud800\"")]
    public void Claims_with_duplicates_or_depth_are_refused(string claims) => ErrorOf(TokenForge.Token(_clock, claims)).ShouldBe(JwtError.Malformed);

    [Fact]
    public void More_than_64_claims_are_refused()
    {
        var many = string.Join(',', Enumerable.Range(0, 62).Select(i => $"\"c{i}\":{i}"));
        ErrorOf(TokenForge.Token(_clock, $"\"sub\":\"1\",{many}")).ShouldBe(JwtError.Malformed);
        ErrorOf(TokenForge.Token(_clock, $"\"sub\":\"1\",{many[..many.LastIndexOf(',')]}")).ShouldBe(JwtError.None);
    }

    [Fact]
    public void Claims_that_are_not_UTF_8_are_refused()
    {
        var payload = Convert.ToBase64String([.. "{\"sub\":\"1\",\"x\":\""u8, 0xFF, .. "\",\"exp\":9}"u8]).TrimEnd('=').Replace('+', '-').Replace('/', '_');
        var signed = $"{TokenForge.Encode("""{"alg":"HS256"}""")}.{payload}";
        var signature = System.Buffers.Text.Base64Url.EncodeToString(HMACSHA256.HashData(TokenForge.SecretBytes, Encoding.ASCII.GetBytes(signed)));
        ErrorOf($"{signed}.{signature}").ShouldBe(JwtError.Malformed);
    }

    [Fact]
    public void An_encrypted_token_of_five_parts_is_refused_before_it_is_read() =>
        ErrorOf($"{TokenForge.Encode("""{"alg":"RSA-OAEP","enc":"A256GCM","zip":"DEF"}""")}.AAAA.AAAA.AAAA.AAAA").ShouldBe(JwtError.Malformed);

    [Fact]
    public void Over_8_KB_nothing_is_decoded()
    {
        var now = _clock.GetUtcNow().ToUnixTimeSeconds();
        string Padded(int bytes) => TokenForge.Sign("""{"alg":"HS256"}""", $$"""{"sub":"1","exp":{{now + 60}},"x":"{{new string('x', bytes)}}"}""");

        var longest = Enumerable.Range(6_000, 200).Select(Padded).Last(token => token.Length <= JwtValidator.MaxLength);
        longest.Length.ShouldBeInRange(JwtValidator.MaxLength - 2, JwtValidator.MaxLength);
        ErrorOf(longest).ShouldBe(JwtError.None);
        ErrorOf(Padded(6_200)).ShouldBe(JwtError.Malformed);
        ErrorOf(new string('.', 100_000)).ShouldBe(JwtError.Malformed);
    }

    [Fact]
    public void Two_issuers_with_one_kid_keep_their_keys_apart()
    {
        using var first = RSA.Create(2048);
        using var second = RSA.Create(2048);
        using var ours = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(first, "k1")), "https://a.example/keys");
        using var theirs = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(second, "k1")), "https://b.example/keys");
        var payload = $$"""{"sub":"42","exp":{{_clock.GetUtcNow().ToUnixTimeSeconds() + 60}}}""";
        var token = TokenForge.Sign("""{"alg":"RS256","kid":"k1"}""", payload, second);

        Check(ours).ShouldBe(JwtError.Signature);
        Check(theirs).ShouldBe(JwtError.None);

        JwtError Check(JwksEndpoint endpoint) =>
            TokenForge.Validator(_clock, remote: endpoint.Keys(_clock)).ValidateAsync(token, CancellationToken.None).AsTask().GetAwaiter().GetResult().Error;
    }

    private JwtError ErrorOf(string token) => TokenForge.Validator(_clock).Validate(token).Error;
}
