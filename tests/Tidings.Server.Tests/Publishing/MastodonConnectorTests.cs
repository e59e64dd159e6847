using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors.Mastodon;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

public sealed class MastodonConnectorTests : ConnectorContract<MastodonDouble>
{
    protected override string TooLongText => new('x', MastodonDouble.MaxChars + 1);

    protected override string Secret => Witness.Token;

    private protected override SendResult WhenTokenIsRefused => SendResult.AuthRefused;

    private protected override SendResult WhenGone => SendResult.AuthRefused;

    [Fact]
    public async Task The_instances_own_limits_count()
    {
        var delivery = await DeliveryAsync($"{new string('x', 450)} https://example.org/{new string('y', 100)}");
        (await Connector.CheckAsync(delivery.Post, delivery.Account, default)).ShouldBeEmpty(); // an address counts as 23
        var media = new[] { Picture(), Picture(), Picture("image/gif") };
        (await Connector.CheckAsync(delivery.Post with { Media = media }, delivery.Account, default)).Count.ShouldBe(2); // three, and one of a type it doesn't take
        (await Connector.CheckAsync(delivery.Post with { Media = [Picture() with { Bytes = 1_000_001 }] }, delivery.Account, default)).ShouldHaveSingleItem().ShouldContain("MB");
    }

    [Fact]
    public async Task A_file_is_attached_when_the_instance_is_done_with_it_and_uploaded_once()
    {
        Witness.FilesTakeAsks = 2;
        var delivery = await DeliveryAsync("with a picture");
        string? progress = null;
        delivery = delivery with
        {
            Post = delivery.Post with { Media = [Picture()] },
            KeepAsync = (kept, _) =>
            {
                progress = kept;
                return Task.CompletedTask;
            },
        };
        Witness.Next(Fault.CutBefore);
        (await Connector.SendAsync(delivery, default)).Result.ShouldBe(SendResult.Unknown);
        progress.ShouldNotBeNull();
        (await Connector.SendAsync(delivery with { Progress = progress, Attempt = 2 }, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Requests.Count(request => request == "POST /api/v2/media").ShouldBe(1);
        Witness.Posted.ShouldHaveSingleItem().Files.ShouldBe(1);

        // One that the instance has forgotten is uploaded again.
        (await Connector.SendAsync(delivery with { Key = "another", Progress = """{"media":["1"]}""" }, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Requests.Count(request => request == "POST /api/v2/media").ShouldBe(2);
    }

    [Fact]
    public async Task A_doubtful_status_is_found_among_the_accounts_own()
    {
        var delivery = await DeliveryAsync("hello <b>you</b> & @bob@other.test\nsecond line\n\nhttps://example.org/a?b=1&c=2");
        (await Connector.FindAsync(delivery, default)).IsThere.ShouldBe(false);
        Witness.Next(Fault.CutAfter);
        await Connector.SendAsync(delivery, default);
        var found = await Connector.FindAsync(delivery, default);
        found.IsThere.ShouldBe(true);
        found.ExternalId.ShouldBe(Witness.Posted.Single().Id);
        found.Url.ShouldNotBeNull();
        (await Connector.FindAsync(delivery with { Post = delivery.Post with { Text = "something else" } }, default)).IsThere.ShouldBe(false);
        (await Connector.FindAsync(delivery with { FirstAttemptAt = delivery.FirstAttemptAt.AddHours(1) }, default)).IsThere.ShouldBe(false);
        await Witness.StopAsync();
        (await Connector.FindAsync(delivery, default)).IsThere.ShouldBeNull();
    }

    [Fact]
    public async Task Somebody_agrees_on_the_instances_page()
    {
        Witness.TokensEnd = true;
        var connector = (MastodonConnector)Connector;
        connector.WantsAuthorization(RequestOf(new { }, null, Witness.Address)).ShouldBeTrue();
        var callback = new Uri("https://tidings.test/api/accounts/callback");
        var begun = await connector.BeginAsync(RequestOf(new { }, null, Witness.Address), callback, "state-1", default);
        var back = Witness.Agree(begun.Url!);
        back.Query.ShouldContain("state=state-1");
        var code = System.Web.HttpUtility.ParseQueryString(back.Query)["code"]!;

        var answer = await connector.FinishAsync(begun.Kept!, begun.BaseUrl!, callback, code, default);
        answer.Problem.ShouldBeNull();
        answer.Account!.Handle.ShouldBe("@ann@127.0.0.1");
        answer.Account.ExpiresAt.ShouldNotBeNull();
        (await connector.FinishAsync(begun.Kept!, begun.BaseUrl!, callback, code, default)).Account.ShouldBeNull();

        Witness.GivesEmptyRefreshTokens = true;
        var account = AccountOf(answer.Account);
        for (var i = 0; i < 2; i++) // the second time with the refresh token of before
        {
            var renewed = await connector.RenewAsync(account, default);
            account = account with { Secrets = renewed.Secrets.ShouldNotBeNull() };
            (await connector.SendAsync(DeliveryOf(account, $"hello {i}"), default)).Result.ShouldBe(SendResult.Sent);
        }

        Witness.RefusesTokens = true;
        (await connector.RenewAsync(account, default)).IsRefused.ShouldBeTrue();
    }

    [Fact]
    public async Task Only_the_instance_can_say_that_a_token_is_over()
    {
        var account = await ConnectAsync();
        (await Connector.RenewAsync(account, default)).IsRefused.ShouldBeFalse();
        await Witness.StopAsync();
        (await Connector.RenewAsync(account, default)).IsRefused.ShouldBeFalse();
        await Witness.StartAsync();
        Witness.ExpireToken();
        (await Connector.RenewAsync(account, default)).IsRefused.ShouldBeTrue();
    }

    private protected override ConnectRequest Request() => RequestOf(new { token = Witness.Token }, null, Witness.Address);

    private protected override IPublishingConnector Create(OutgoingHttp http) => new MastodonConnector(http, TimeProvider.System);
}
