using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

public sealed class TelegramConnectorTests : ConnectorContract<TelegramDouble>
{
    protected override string TooLongText => new('x', 4_097);

    protected override string Secret => Witness.Token;

    private protected override SendResult WhenTokenIsRefused => SendResult.AuthRefused;

    [Theory]
    [InlineData(Fault.CutAfter, false)]
    [InlineData(Fault.TooManyRequests, true)]
    public async Task A_long_text_follows_its_files_and_only_what_is_missing_is_repeated(Fault fault, bool mayRepeat)
    {
        var text = new string('x', 1_025);
        var delivery = await DeliveryAsync(text);
        string? progress = null;
        delivery = delivery with
        {
            Post = delivery.Post with { Media = [Picture(), Picture()] },
            KeepAsync = (kept, _) =>
            {
                progress = kept;
                return Task.CompletedTask;
            },
        };
        Witness.Next(Fault.None, fault);
        var outcome = await Connector.SendAsync(delivery, default);
        outcome.Result.ShouldBe(mayRepeat ? SendResult.RateLimited : SendResult.Unknown);
        outcome.Reason!.ShouldContain("files were sent");
        progress.ShouldNotBeNull();
        if (!mayRepeat) return;

        (await Connector.SendAsync(delivery with { Progress = progress, Attempt = 2 }, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Posted.Select(posted => (posted.Files, posted.Text.Length)).ShouldBe([(2, 0), (0, 1_025)]);
    }

    [Fact]
    public async Task A_group_that_has_moved_is_followed()
    {
        var delivery = await DeliveryAsync("hello");
        Witness.Moved = (delivery.Account.ExternalId, "-1009");
        (await Connector.SendAsync(delivery, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Posted.ShouldHaveSingleItem().Account.ShouldBe("-1009");
    }

    [Fact]
    public async Task A_channel_has_an_address_for_people()
    {
        var answer = await Connector.ConnectAsync(RequestOf(new { token = Witness.Token, chat = "@news" }, null, Witness.Address), default);
        answer.Account!.Handle.ShouldBe("@news");
        (await Connector.SendAsync(DeliveryOf(AccountOf(answer.Account), "hello"), default)).Url.ShouldBe($"https://t.me/news/{Witness.Posted.Single().Id}");
        (await Connector.ConnectAsync(RequestOf(new { token = Witness.Token, chat = -1009 }, null, Witness.Address), default)).Account!.ExternalId.ShouldBe("-1009"); // a number is as good
        (await Connector.ConnectAsync(RequestOf(new { token = Witness.Token, chat = "nowhere" }, null, Witness.Address), default)).Problem!.Value.Field.ShouldBe("credentials.chat");
    }

    private protected override ConnectRequest Request() => RequestOf(new { token = Witness.Token, chat = "-77" }, null, Witness.Address);

    private protected override IPublishingConnector Create(OutgoingHttp http) => new TelegramConnector(http, TimeProvider.System);
}
