using Shouldly;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Publishing;
using Xunit;

namespace Tidings.Server.Tests.ConnectedAccounts;

/// <summary>Tokens are renewed ahead of time, once, by one node; and what only the platform may end, only the platform ends.</summary>
public sealed class AccountRenewalTests
{
    [Fact]
    public async Task Tokens_are_renewed_before_they_end()
    {
        await using var nodes = await AccountNodes.StartAsync();
        var id = await nodes.ConnectAsync();
        var before = (await nodes.Vault.OpenAsync(id, default))!.Secrets;

        nodes.Clock.MoveOn(TimeSpan.FromMinutes(80));
        await nodes.Renewal().RenewDueAsync(default);
        nodes.Calls("refreshSession").ShouldBe(0);
        nodes.Clock.MoveOn(TimeSpan.FromMinutes(15));
        await nodes.Renewal().RenewDueAsync(default);
        await nodes.Renewal().RenewDueAsync(default);

        nodes.Calls("refreshSession").ShouldBe(1);
        (await nodes.Vault.OpenAsync(id, default))!.Secrets.ShouldNotBe(before);
        (await nodes.RowAsync(id)).RenewAt.ShouldNotBeNull().ShouldBeGreaterThan(nodes.Clock.GetUtcNow().AddMinutes(60).ToUnixTimeMilliseconds());
    }

    [Fact]
    public async Task Many_who_were_refused_at_once_renew_once()
    {
        await using var nodes = await AccountNodes.StartAsync();
        var id = await nodes.ConnectAsync();
        nodes.Bluesky.ExpireSession();
        var refused = (await nodes.Vault.OpenAsync(id, default))!;

        var renewed = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(() => nodes.Renewal().RenewAsync(refused, default))));

        renewed.ShouldAllBe(isGood => isGood);
        nodes.Calls("refreshSession").ShouldBe(1);
        nodes.Calls("createSession").ShouldBe(1);
    }

    [Fact]
    public async Task What_the_platform_refuses_is_to_be_connected_again_and_its_user_is_told_once()
    {
        await using var nodes = await AccountNodes.StartAsync();
        var id = await nodes.ConnectAsync();
        nodes.Bluesky.RefusesTokens = true;
        var refused = (await nodes.Vault.OpenAsync(id, default))!;

        (await nodes.Renewal().RenewAsync(refused, default)).ShouldBeFalse();
        (await nodes.Renewal().RenewAsync(refused, default)).ShouldBeFalse();
        await nodes.Vault.NeedsReconnectAsync(id, "said again", default);

        var row = await nodes.RowAsync(id);
        (row.Status, row.RenewAt).ShouldBe((AccountRow.NeedsReconnect, null));
        row.Reason.ShouldContain("app password");
        (await nodes.Vault.OpenAsync(id, default)).ShouldBeNull();
        (await nodes.NotificationsAsync()).ShouldBe(["ACCOUNT_DISCONNECTED"]);

        nodes.Bluesky.RefusesTokens = false;
        (await nodes.ConnectAsync()).ShouldBe(id);
        (await nodes.RowAsync(id)).Status.ShouldBe(AccountRow.Connected);
        (await nodes.Vault.OpenAsync(id, default)).ShouldNotBeNull();
    }

    [Fact]
    public async Task A_platform_that_is_away_ends_nothing()
    {
        await using var nodes = await AccountNodes.StartAsync();
        var id = await nodes.ConnectAsync();
        await nodes.Bluesky.StopAsync();
        nodes.Clock.MoveOn(TimeSpan.FromMinutes(95));
        await nodes.Renewal().RenewDueAsync(default);
        (await nodes.Vault.OpenAsync(id, default)).ShouldNotBeNull();
        (await nodes.NotificationsAsync()).ShouldBeEmpty();

        await nodes.Bluesky.StartAsync();
        nodes.Clock.MoveOn(TimeSpan.FromMinutes(5));
        await nodes.Renewal().RenewDueAsync(default);
        nodes.Calls("refreshSession").ShouldBe(1);
    }

    [Fact]
    public async Task A_node_that_died_over_a_renewal_is_taken_over()
    {
        var gate = new GatedConnector();
        await using var nodes = await AccountNodes.StartAsync(gate);
        var id = await nodes.KeepAsync(gate.Platform, GatedConnector.Account("one"));
        var refused = (await nodes.Vault.OpenAsync(id, default))!;
        using var killed = new CancellationTokenSource();
        var first = nodes.Renewal().RenewAsync(refused, killed.Token);
        await gate.Asked.WaitAsync(TimeSpan.FromSeconds(20));

        nodes.Clock.MoveOn(TimeSpan.FromMinutes(3)); // its lease is over
        var second = nodes.Renewal().RenewAsync(refused, default);
        gate.Answer("two");
        (await second).ShouldBeTrue();
        (await first).ShouldBeTrue(); // what it got is not written over the other's
        (await nodes.Vault.OpenAsync(id, default))!.Secrets.ShouldBe(GatedConnector.SecretsOf("two"));
    }

    [Fact]
    public async Task Credentials_that_come_while_a_renewal_is_under_way_stay()
    {
        var gate = new GatedConnector();
        await using var nodes = await AccountNodes.StartAsync(gate);
        var id = await nodes.KeepAsync(gate.Platform, GatedConnector.Account("one"));
        var renewing = nodes.Renewal().RenewAsync((await nodes.Vault.OpenAsync(id, default))!, default);
        await gate.Asked.WaitAsync(TimeSpan.FromSeconds(20));
        (await nodes.KeepAsync(gate.Platform, GatedConnector.Account("by hand"))).ShouldBe(id);
        gate.Answer("renewed");
        (await renewing).ShouldBeTrue();
        (await nodes.Vault.OpenAsync(id, default))!.Secrets.ShouldBe(GatedConnector.SecretsOf("by hand"));
    }

    [Fact]
    public async Task A_ciphertext_of_another_row_does_not_open()
    {
        var gate = new GatedConnector();
        await using var nodes = await AccountNodes.StartAsync(gate);
        var one = await nodes.KeepAsync(gate.Platform, GatedConnector.Account("one"));
        var other = await nodes.KeepAsync(gate.Platform, GatedConnector.Account("other") with { ExternalId = "other" });
        (await nodes.Vault.OpenAsync(one, default)).ShouldNotBeNull();
        await nodes.Store.WriteAsync(
            async write => await write.ExecuteAsync("UPDATE connected_accounts SET secrets = (SELECT secrets FROM connected_accounts WHERE id = @Other) WHERE id = @One", new { One = one, Other = other }),
            CancellationToken.None);

        (await nodes.Vault.OpenAsync(one, default)).ShouldBeNull();
        (await nodes.Vault.OpenAsync(other, default)).ShouldNotBeNull();
        nodes.Logs.Lines.ShouldContain(line => line.Contains(one, StringComparison.Ordinal) && line.Contains("do not open", StringComparison.Ordinal));
        (await nodes.RowAsync(one)).Status.ShouldBe(AccountRow.Connected); // the platform has said nothing
    }

    /// <summary>A platform whose renewal waits until it is told.</summary>
    private sealed class GatedConnector : IPublishingConnector
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
        private readonly TaskCompletionSource<string> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public string Platform => "gated";

        public Repeats Repeats => Repeats.Never;

        public Task Asked => _asked.Task;

        public void Answer(string token) => _answer.SetResult(token);

        public static string SecretsOf(string token) => $$"""{"token":"{{token}}"}""";

        public static NewAccount Account(string token) => new("1", "@ann", new Uri("https://gated.test"), SecretsOf(token), null);

        public async Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken)
        {
            _asked.TrySetResult();
            return new RenewAnswer(SecretsOf(await _answer.Task), null, false, null);
        }

        public Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken) => throw new NotSupportedException();

        public ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken) => throw new NotSupportedException();
    }
}
