using System.Text;
using Microsoft.AspNetCore.Http;
using Shouldly;
using Tidings.Server.Webhooks;
using Xunit;

namespace Tidings.Server.Tests.Payments;

/// <summary>The signature, against the example of the specification and what others might send.</summary>
public sealed class StandardWebhookTests
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Body = """{"test": 2432232314}""";
    private static readonly DateTimeOffset SentAt = DateTimeOffset.FromUnixTimeSeconds(1_614_265_330);

    [Fact]
    public void The_specifications_example_is_signed_like_this() =>
        StandardWebhook.Sign(StandardWebhook.KeyOf(Secret), "msg_p5jXN8AQM9LWM0D4loKWxJek", SentAt, Encoding.UTF8.GetBytes(Body))
            .ShouldBe("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");

    [Fact]
    public void A_message_counts_for_five_minutes_with_any_of_its_signatures()
    {
        var good = StandardWebhook.Sign(StandardWebhook.KeyOf(Secret), "m", SentAt, Encoding.UTF8.GetBytes(Body));

        IsSigned("m", SentAt, good).ShouldBeTrue();
        IsSigned("m", SentAt, $"v1,bm9uZQ== v1a,x {good}").ShouldBeTrue();
        IsSigned("m", SentAt, good, at: SentAt.AddSeconds(300)).ShouldBeTrue();
        IsSigned("m", SentAt, good, at: SentAt.AddSeconds(-300)).ShouldBeTrue();
        IsSigned("m", SentAt, good, at: SentAt.AddSeconds(301)).ShouldBeFalse();
        IsSigned("m", SentAt, good, at: SentAt.AddSeconds(-301)).ShouldBeFalse();
        IsSigned("n", SentAt, good).ShouldBeFalse();
        IsSigned("m", SentAt.AddSeconds(1), good).ShouldBeFalse();
        IsSigned("m", SentAt, good, body: Body + " ").ShouldBeFalse();
        IsSigned("m", SentAt, good.Replace("v1,", "v2,", StringComparison.Ordinal)).ShouldBeFalse();
        foreach (var wrong in new[] { "", "v1,", "v1,!!!", "v1", good[3..], string.Join(' ', Enumerable.Repeat("v1,bm9uZQ==", 100)) }) IsSigned("m", SentAt, wrong).ShouldBeFalse(wrong);

        static bool IsSigned(string id, DateTimeOffset sentAt, string signature, DateTimeOffset? at = null, string body = Body) => StandardWebhook.IsSigned(
            StandardWebhook.KeyOf(Secret),
            new HeaderDictionary { ["webhook-id"] = id, ["webhook-timestamp"] = StandardWebhook.TextOf(sentAt), ["webhook-signature"] = signature },
            Encoding.UTF8.GetBytes(body),
            at ?? SentAt);
    }

    [Theory]
    [InlineData("whsec_short")]
    [InlineData("whsec_")]
    [InlineData("")]
    [InlineData("whsec_c2hvcnQ=")]
    [InlineData("secret with spaces and no base64 at all")]
    public void A_weak_secret_is_no_key(string secret) => StandardWebhook.KeyOf(secret).ShouldBeNull();
}
