using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

public sealed class DiscordConnectorTests : ConnectorContract<DiscordDouble>
{
    protected override string TooLongText => new('x', 2_001);

    protected override string Secret => Witness.Token;

    private protected override SendResult WhenTokenIsRefused => SendResult.AccountGone;

    [Fact]
    public async Task A_message_has_an_address_for_people_and_what_is_left_of_the_limit()
    {
        var outcome = await Connector.SendAsync(await DeliveryAsync("@everyone hello"), default);
        outcome.Url.ShouldBe($"https://discord.com/channels/42/43/{Witness.Posted.Single().Id}");
        outcome.Rate.ShouldBe(new RateReading("bucket/77", 4, TimeSpan.FromSeconds(2.5)));
    }

    [Fact]
    public async Task A_limit_of_all_of_Discord_is_a_bucket_of_all_accounts()
    {
        Witness.IsGlobal = true;
        Witness.Next(Fault.TooManyRequests);
        var outcome = await Connector.SendAsync(await DeliveryAsync("hello"), default);
        outcome.Rate!.Value.Bucket.ShouldBe("global");
        outcome.RetryAfter.ShouldBe(TimeSpan.FromSeconds(7.25));
    }

    [Fact]
    public async Task A_webhook_that_nobody_knows_is_not_connected()
    {
        var answer = await Connector.ConnectAsync(RequestOf(new { url = $"{Witness.UrlOf(1)}x" }), default);
        answer.Problem!.Value.Field.ShouldBe("credentials.url");
    }

    private protected override ConnectRequest Request() => RequestOf(new { url = Witness.UrlOf(77).AbsoluteUri });

    private protected override IPublishingConnector Create(OutgoingHttp http) => new DiscordConnector(http, TimeProvider.System);
}
