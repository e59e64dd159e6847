using System.Net;
using System.Security.Cryptography;
using Shouldly;
using Tidings.Server.Auth.Jwt;
using Xunit;

namespace Tidings.Server.Tests.Auth;

public sealed class JwksKeysTests : IDisposable
{
    private readonly FakeClock _clock = new();
    private readonly RSA _rsa = RSA.Create(2048);
    private readonly ECDsa _ecdsa = ECDsa.Create(ECCurve.NamedCurves.nistP256);

    public void Dispose()
    {
        _rsa.Dispose();
        _ecdsa.Dispose();
    }

    [Fact]
    public async Task A_token_is_checked_by_the_key_of_its_kid()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r"), TokenForge.Jwk(_ecdsa, "e")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.None);
        (await CheckAsync(validator, TokenForge.Sign("""{"alg":"ES256","kid":"e"}""", Payload, _ecdsa))).ShouldBe(JwtError.None);
        endpoint.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Without_a_kid_the_only_key_of_the_algorithm_is_taken_and_of_two_none()
    {
        using var other = RSA.Create(2048);
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r"), TokenForge.Jwk(_ecdsa, "e")));
        (await CheckAsync(TokenForge.Validator(_clock, remote: endpoint.Keys(_clock)), Rsa(null))).ShouldBe(JwtError.None);

        endpoint.Body = TokenForge.KeySet(TokenForge.Jwk(_rsa, "r"), TokenForge.Jwk(other, "s"));
        (await CheckAsync(TokenForge.Validator(_clock, remote: endpoint.Keys(_clock)), Rsa(null))).ShouldBe(JwtError.UnknownKey);
    }

    [Fact]
    public async Task An_unknown_kid_is_asked_for_once_a_minute()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_ecdsa, "e")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        for (var second = 0; second < 59; second++)
        {
            (await CheckAsync(validator, Rsa("new"))).ShouldBe(JwtError.UnknownKey);
            _clock.Advance(TimeSpan.FromSeconds(1));
        }

        endpoint.Requests.Count.ShouldBe(1);
        endpoint.Body = TokenForge.KeySet(TokenForge.Jwk(_rsa, "new"));
        _clock.Advance(TimeSpan.FromSeconds(1));
        (await CheckAsync(validator, Rsa("new"))).ShouldBe(JwtError.None);
        endpoint.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task Many_unknown_kids_cause_no_more_than_a_request_in_five_seconds()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet());
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        for (var i = 0; i < 1_000; i++)
        {
            (await CheckAsync(validator, Rsa($"k{i}"))).ShouldBe(JwtError.UnknownKey);
            if (i % 100 == 99) _clock.Advance(TimeSpan.FromSeconds(5));
        }

        endpoint.Requests.Count.ShouldBeLessThanOrEqualTo(10);
    }

    [Fact]
    public async Task Many_tokens_at_once_share_one_request()
    {
        var gate = new TaskCompletionSource();
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r"))) { Gate = gate.Task };
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));

        var checks = Enumerable.Range(0, 50).Select(_ => CheckAsync(validator, Rsa("r"))).ToArray();
        gate.SetResult();

        (await Task.WhenAll(checks)).ShouldAllBe(error => error == JwtError.None);
        endpoint.Requests.ShouldHaveSingleItem();
    }

    [Fact]
    public async Task Old_keys_stay_when_the_endpoint_fails()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.None);

        foreach (var (status, body) in ((HttpStatusCode, string)[])[
            (HttpStatusCode.InternalServerError, ""), (HttpStatusCode.OK, "<html>"), (HttpStatusCode.OK, "{\"keys\":7}"),
            (HttpStatusCode.Redirect, endpoint.Body), (HttpStatusCode.OK, $$"""{"x":"{{new string('x', JwksKeys.MaxBytes)}}","keys":[]}""")])
        {
            (endpoint.Status, endpoint.Body) = (status, body);
            _clock.Advance(TimeSpan.FromMinutes(2));
            (await CheckAsync(validator, Rsa("other"))).ShouldBe(JwtError.UnknownKey);
            (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.None);
        }

        endpoint.Requests.Count.ShouldBe(6);
    }

    [Fact]
    public async Task A_failure_is_not_held_against_a_kid_for_a_minute()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r"))) { Status = HttpStatusCode.BadGateway };
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.UnknownKey);

        endpoint.Status = HttpStatusCode.OK;
        _clock.Advance(TimeSpan.FromSeconds(5));
        (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.None);
    }

    [Fact]
    public async Task An_endpoint_that_hangs_is_given_up_after_five_seconds()
    {
        using var endpoint = new JwksEndpoint("") { Gate = new TaskCompletionSource().Task };
        var check = CheckAsync(TokenForge.Validator(_clock, remote: endpoint.Keys(_clock)), Rsa("r"));
        while (endpoint.Requests.Count == 0) await Task.Yield();

        _clock.Advance(TimeSpan.FromSeconds(5));

        (await check).ShouldBe(JwtError.UnknownKey);
    }

    [Fact]
    public async Task A_withdrawn_key_goes_after_ten_minutes()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_rsa, "r")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        (await CheckAsync(validator, Rsa("r"))).ShouldBe(JwtError.None);

        endpoint.Body = TokenForge.KeySet(TokenForge.Jwk(_ecdsa, "e"));
        _clock.Advance(TimeSpan.FromMinutes(11));
        while (await CheckAsync(validator, Rsa("r")) == JwtError.None) await Task.Yield();   // it is asked behind an answer
        endpoint.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public void Keys_that_are_weak_for_something_else_or_secret_are_left_out()
    {
        using var weak = RSA.Create(1024);
        var good = TokenForge.Jwk(_rsa, "good");
        var keys = JwksDocument.Read(System.Text.Encoding.UTF8.GetBytes(TokenForge.KeySet(
            good,
            TokenForge.Jwk(weak, "weak"),
            TokenForge.Jwk(_rsa, "enc", ",\"use\":\"enc\""),
            TokenForge.Jwk(_rsa, "ops", ",\"key_ops\":[\"encrypt\"]"),
            TokenForge.Jwk(_rsa, "other", ",\"alg\":\"RS512\""),
            TokenForge.Jwk(_rsa, "../../etc"),
            """{"kty":"oct","kid":"secret","k":"AAAA"}""",
            """{"kty":"EC","crv":"P-256","kid":"off","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}""",
            """{"kty":"EC","crv":"P-384","kid":"curve","x":"AAAA","y":"AAAA"}""",
            "7",
            good.Replace("\"good\"", "\"good\"", StringComparison.Ordinal))));

        keys.Keys.ShouldBe(["good"]);
    }

    [Fact]
    public async Task The_signature_of_ES256_has_exactly_64_bytes()
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(TokenForge.Jwk(_ecdsa, "e")));
        var validator = TokenForge.Validator(_clock, remote: endpoint.Keys(_clock));
        var token = TokenForge.Sign("""{"alg":"ES256","kid":"e"}""", Payload, _ecdsa);
        var signed = token[..token.LastIndexOf('.')];
        var der = _ecdsa.SignData(System.Text.Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, DSASignatureFormat.Rfc3279DerSequence);

        (await CheckAsync(validator, token)).ShouldBe(JwtError.None);
        (await CheckAsync(validator, $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(der)}")).ShouldBe(JwtError.Signature);
        (await CheckAsync(validator, $"{signed}.{System.Buffers.Text.Base64Url.EncodeToString(new byte[64])}")).ShouldBe(JwtError.Signature);
    }

    private string Payload => $$"""{"sub":"42","exp":{{_clock.GetUtcNow().ToUnixTimeSeconds() + 3_600}}}""";

    private string Rsa(string? kid) => TokenForge.Sign(kid is null ? """{"alg":"RS256"}""" : $$"""{"alg":"RS256","kid":"{{kid}}"}""", Payload, _rsa);

    private static async Task<JwtError> CheckAsync(JwtValidator validator, string token) => (await validator.ValidateAsync(token, CancellationToken.None)).Error;
}
