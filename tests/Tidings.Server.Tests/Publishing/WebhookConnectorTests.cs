using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

public sealed class WebhookConnectorTests : ConnectorContract<WebhookDouble>
{
    protected override string TooLongText => new('x', 20_001);

    protected override string Secret => Witness.Secret;

    protected override bool ReadsAnswers => false;

    private protected override SendResult WhenTokenIsRefused => SendResult.NotSent;

    [Fact]
    public async Task Each_attempt_has_the_same_id_and_body_and_a_signature_of_its_own_time()
    {
        var delivery = await DeliveryAsync("hello ✓ \"quoted\"");
        await Connector.SendAsync(delivery, default);
        await Connector.SendAsync(delivery with { Attempt = 2 }, default);

        Witness.Forged.ShouldBe(0);
        Witness.Repetitions.ShouldBe(1);
        var received = Witness.Received.ToList();
        received[0].Body.ShouldBe(received[1].Body);
        received.Select(one => one.Headers["webhook-id"]).Distinct().ShouldBe([delivery.Key]);
        Witness.Posted.Single().Text.ShouldBe("hello ✓ \"quoted\"");
    }

    [Fact]
    public async Task A_gateway_that_is_down_is_left_alone_for_a_while()
    {
        Witness.Next(Fault.BadGateway);
        (await Connector.SendAsync(await DeliveryAsync("hello"), default)).RetryAfter.ShouldNotBeNull().ShouldBeGreaterThan(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task A_secret_is_made_if_none_is_given()
    {
        var one = await Connector.ConnectAsync(RequestOf(new { url = Witness.UrlOf("a").AbsoluteUri }), default);
        var other = await Connector.ConnectAsync(RequestOf(new { url = Witness.UrlOf("a").AbsoluteUri }), default);
        one.ShownOnce.ShouldNotBeNull().ShouldStartWith("whsec_");
        other.ShownOnce.ShouldNotBe(one.ShownOnce);
        other.Account!.ExternalId.ShouldBe(one.Account!.ExternalId);
        one.ToString().ShouldNotContain(one.ShownOnce!);
        one.Account.ToString().ShouldNotContain(one.ShownOnce!);
    }

    private protected override ConnectRequest Request() => RequestOf(new { url = Witness.UrlOf("site").AbsoluteUri, secret = Witness.Secret });

    private protected override IPublishingConnector Create(OutgoingHttp http) => new WebhookConnector(http, TimeProvider.System);
}
