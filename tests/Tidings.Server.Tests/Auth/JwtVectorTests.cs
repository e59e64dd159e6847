using System.Text;
using Shouldly;
using Tidings.Server.Auth.Jwt;
using Xunit;

namespace Tidings.Server.Tests.Auth;

/// <summary>The examples of RFC 7515 (appendix A) and RFC 7520 (section 4).</summary>
public sealed class JwtVectorTests
{
    private const string JoesClaims = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

    private const string A1 = $"eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.{JoesClaims}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    private const string A1Key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";

    private const string A2 = $"eyJhbGciOiJSUzI1NiJ9.{JoesClaims}." +
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4" +
        "BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv" +
        "hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

    private const string A2Modulus =
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOW" +
        "vG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9k" +
        "G4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";

    private const string A3 = $"eyJhbGciOiJFUzI1NiJ9.{JoesClaims}.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    private const string A3X = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
    private const string A3Y = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";

    private const string Danger =
        "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24n" +
        "dCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4";

    private static readonly FakeClock In2011 = new(DateTimeOffset.FromUnixTimeSeconds(1_300_819_300));
    private static readonly JwtRules Joe = new() { UserIdClaims = ["iss"] };

    [Fact]
    public void Rfc_7515_A_1_is_accepted()
    {
        var keys = new JwtKeys(new HmacKey(CanonicalBase64Url.Decode(A1Key)!), remote: null);
        var verdict = new JwtValidator(Joe, keys, In2011).Validate(A1);

        verdict.Error.ShouldBe(JwtError.None);
        verdict.Jwt!.UserId.ShouldBe("joe");
        verdict.Jwt.ExpiresAt.ToUnixTimeSeconds().ShouldBe(1_300_819_380);
    }

    [Fact]
    public async Task Rfc_7515_A_2_is_accepted() => await AcceptsAsync(A2, $$"""{"kty":"RSA","n":"{{A2Modulus}}","e":"AQAB"}""");

    [Fact]
    public async Task Rfc_7515_A_3_is_accepted() => await AcceptsAsync(A3, $$"""{"kty":"EC","crv":"P-256","x":"{{A3X}}","y":"{{A3Y}}"}""");

    [Fact]
    public void Rfc_7515_A_5_unsecured_is_refused() =>
        TokenForge.Validator(In2011, Joe).Validate($"eyJhbGciOiJub25lIn0.{JoesClaims}.").Error.ShouldBe(JwtError.Unsupported);

    [Fact]
    public void Rfc_7520_4_1_is_the_signature_of_its_key()
    {
        const string modulus =
            "n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2l" +
            "bzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3" +
            "-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw";
        const string signature =
            "MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmD" +
            "LJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2" +
            "aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg";
        Verifies(
            new RsaKey(CanonicalBase64Url.Decode(modulus)!, [1, 0, 1]),
            $"eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.{Danger}",
            signature);
    }

    [Fact]
    public void Rfc_7520_4_4_is_the_signature_of_its_key() => Verifies(
        new HmacKey(CanonicalBase64Url.Decode("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg")!),
        $"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.{Danger}",
        "s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0");

    [Fact]
    public void A_payload_that_is_no_claims_is_refused_although_its_signature_is_right()
    {
        var keys = new JwtKeys(new HmacKey(CanonicalBase64Url.Decode("hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg")!), remote: null);
        new JwtValidator(Joe, keys, In2011)
            .Validate($"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.{Danger}.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0")
            .Error.ShouldBe(JwtError.Malformed);
    }

    private static async Task AcceptsAsync(string token, string jwk)
    {
        using var endpoint = new JwksEndpoint(TokenForge.KeySet(jwk));
        var validator = TokenForge.Validator(In2011, Joe, endpoint.Keys(In2011));

        var verdict = await validator.ValidateAsync(token, CancellationToken.None);

        verdict.Error.ShouldBe(JwtError.None);
        verdict.Jwt!.UserId.ShouldBe("joe");
    }

    private static void Verifies(JwtKey key, string signed, string signature)
    {
        var data = Encoding.ASCII.GetBytes(signed);
        var bytes = CanonicalBase64Url.Decode(signature)!;
        key.Verify(data, bytes).ShouldBeTrue();

        bytes[^1] ^= 1;
        key.Verify(data, bytes).ShouldBeFalse();
        bytes[^1] ^= 1;
        data[0] ^= 1;
        key.Verify(data, bytes).ShouldBeFalse();
    }
}
