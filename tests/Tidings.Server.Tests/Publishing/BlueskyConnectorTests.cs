using System.Text;
using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors.Bluesky;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

public sealed class BlueskyConnectorTests : ConnectorContract<BlueskyDouble>
{
    protected override string TooLongText => new('x', 301);

    protected override string Secret => Witness.Password;

    private protected override SendResult WhenTokenIsRefused => SendResult.AuthRefused;

    [Fact]
    public async Task Links_mentions_and_tags_are_marked_by_bytes()
    {
        var delivery = await DeliveryAsync($"é👩‍👩‍👧 see https://example.org/ä?b=1, @{BlueskyDouble.MentionedHandle} and @nobody.double.test #tag1 #1 end.");
        var outcome = await Connector.SendAsync(delivery, default);
        outcome.Result.ShouldBe(SendResult.Sent, outcome.Reason);

        var record = Witness.Records.Values.Single();
        var text = Encoding.UTF8.GetBytes(record.GetProperty("text").GetString()!);
        var facets = record.GetProperty("facets").EnumerateArray().Select(facet =>
        {
            var (start, end) = (facet.GetProperty("index").GetProperty("byteStart").GetInt32(), facet.GetProperty("index").GetProperty("byteEnd").GetInt32());
            return (Encoding.UTF8.GetString(text[start..end]), facet.GetProperty("features")[0].GetProperty("$type").GetString()!.Split('#')[1]);
        }).ToList();
        facets.ShouldBe([("https://example.org/ä?b=1", "link"), ($"@{BlueskyDouble.MentionedHandle}", "mention"), ("#tag1", "tag")]);
    }

    [Fact]
    public async Task Characters_are_counted_as_people_see_them()
    {
        var delivery = await DeliveryAsync(string.Concat(Enumerable.Repeat("👩‍👩‍👧", 100)));
        (await Connector.CheckAsync(delivery.Post, delivery.Account, default)).ShouldBeEmpty();
        (await Connector.CheckAsync(delivery.Post with { Text = string.Concat(Enumerable.Repeat("👩‍👩‍👧", 299)) }, delivery.Account, default)).ShouldHaveSingleItem().ShouldContain("bytes");
    }

    [Fact]
    public async Task What_a_key_names_is_found_or_known_not_to_be_there()
    {
        var delivery = await DeliveryAsync("hello");
        (await Connector.FindAsync(delivery, default)).IsThere.ShouldBe(false);
        Witness.Next(Fault.CutAfter);
        await Connector.SendAsync(delivery, default);
        var found = await Connector.FindAsync(delivery, default);
        found.IsThere.ShouldBe(true);
        found.Url.ShouldNotBeNull().ShouldStartWith("https://bsky.app/profile/");
        await Witness.StopAsync();
        (await Connector.FindAsync(delivery, default)).IsThere.ShouldBeNull();
    }

    [Fact]
    public async Task A_record_that_is_there_with_other_marks_is_ours()
    {
        // The mention could not be resolved the first time, so the record would be another one now.
        var delivery = await DeliveryAsync($"hello @{BlueskyDouble.MentionedHandle}");
        await Connector.SendAsync(delivery, default);
        var late = delivery with { Post = delivery.Post with { Language = "en" } };
        (await Connector.SendAsync(late, default)).Result.ShouldBe(SendResult.Sent);
        (await Connector.SendAsync(late with { Post = late.Post with { Text = "something else" } }, default)).Result.ShouldBe(SendResult.Rejected);
        Witness.Posted.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_session_is_renewed_and_an_empty_refresh_token_replaces_none()
    {
        var account = await ConnectAsync();
        Witness.ExpireSession();
        (await Connector.SendAsync(DeliveryOf(account, "hello"), default)).Result.ShouldBe(SendResult.AuthRefused);

        Witness.GivesEmptyRefreshTokens = true;
        var renewed = await Connector.RenewAsync(account, default);
        renewed.ExpiresAt.ShouldNotBeNull();
        account = account with { Secrets = renewed.Secrets! };
        (await Connector.SendAsync(DeliveryOf(account, "hello"), default)).Result.ShouldBe(SendResult.Sent);
        var again = await Connector.RenewAsync(account, default);
        again.Secrets.ShouldNotBeNull();
        Witness.Sessions.ShouldBe(1);

        Witness.ForgetSessions();
        (await Connector.RenewAsync(account with { Secrets = again.Secrets }, default)).Secrets.ShouldNotBeNull();
        Witness.Sessions.ShouldBe(2);

        Witness.RefusesTokens = true;
        (await Connector.RenewAsync(account, default)).IsRefused.ShouldBeTrue();
        await Witness.StopAsync();
        (await Connector.RenewAsync(account, default)).IsRefused.ShouldBeFalse();
    }

    [Fact]
    public async Task A_wrong_password_is_said_with_its_field()
    {
        var answer = await Connector.ConnectAsync(RequestOf(new { appPassword = "wrong" }, BlueskyDouble.Handle, Witness.Address), default);
        answer.Problem!.Value.Field.ShouldBe("credentials.appPassword");
    }

    [Fact]
    public void Keys_sort_by_time_and_are_each_deliverys_own()
    {
        var at = new DateTimeOffset(2026, 11, 22, 3, 0, 0, TimeSpan.Zero);
        RecordKey.Of("a-1", at).ShouldBe(RecordKey.Of("a-1", at));
        Enumerable.Range(0, 1_000).Select(i => RecordKey.Of($"{i}-1", at)).Distinct().Count().ShouldBe(1_000);
        Enumerable.Range(0, 100).ShouldAllBe(i => string.CompareOrdinal(RecordKey.Of($"{i}", at), RecordKey.Of("x", at.AddSeconds(1))) < 0);
        RecordKey.Of("a-1", at).ShouldMatch("^[2-7a-j][2-7a-z]{12}$");
    }

    private protected override ConnectRequest Request() => RequestOf(new { appPassword = Witness.Password }, BlueskyDouble.Handle, Witness.Address);

    private protected override IPublishingConnector Create(OutgoingHttp http) => new BlueskyConnector(http, TimeProvider.System);
}
