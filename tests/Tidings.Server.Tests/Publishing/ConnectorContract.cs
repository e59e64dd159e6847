using System.Text.Json;
using Shouldly;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

/// <summary>
/// What every connector must do, against a real server that misbehaves: what may have been posted is never called unsent, what was not is never called
/// sent, and what is repeated under a key is one post. The double is the witness.
/// </summary>
public abstract class ConnectorContract<TDouble> : IAsyncLifetime
    where TDouble : PlatformDouble, new()
{
    private readonly OutgoingHttp _http = new(allowsPrivate: true, TimeProvider.System);

    protected TDouble Witness { get; } = new();

    private protected IPublishingConnector Connector => field ??= Create(_http);

    /// <summary>What is a text too long for the platform.</summary>
    protected abstract string TooLongText { get; }

    /// <summary>The account's secret that must be nowhere.</summary>
    protected abstract string Secret { get; }

    /// <summary>How it is called that the platform no longer takes the token.</summary>
    private protected abstract SendResult WhenTokenIsRefused { get; }

    private protected virtual SendResult WhenGone => SendResult.AccountGone;

    /// <summary>Whether an answer of success must be understood to count.</summary>
    protected virtual bool ReadsAnswers => true;

    public async ValueTask InitializeAsync() => await Witness.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await Witness.DisposeAsync();
        _http.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_post_is_sent_once()
    {
        var outcome = await Connector.SendAsync(await DeliveryAsync("hello"), default);
        outcome.Result.ShouldBe(SendResult.Sent, outcome.Reason);
        outcome.Reason.ShouldBeNull();
        Witness.Posted.ShouldHaveSingleItem().Text.ShouldBe("hello");
        (outcome.ExternalId ?? "").ShouldContain(Witness.Posted.Single().Id);
    }

    [Fact]
    public async Task A_title_comes_before_the_text()
    {
        var delivery = await DeliveryAsync("the text");
        (await Connector.SendAsync(delivery with { Post = delivery.Post with { Title = "A title" } }, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Posted.ShouldHaveSingleItem().Text.ShouldBeOneOf("A title\n\nthe text", "the text"); // a webhook has a field for it
    }

    [Theory]
    [InlineData(Fault.CutBefore, 0)]
    [InlineData(Fault.CutAfter, 1)]
    [InlineData(Fault.ErrorBefore, 0)]
    [InlineData(Fault.ErrorAfter, 1)]
    [InlineData(Fault.BadGateway, 0)]
    public async Task An_end_that_nobody_knows_is_unknown(Fault fault, int posted)
    {
        Witness.Next(fault);
        var outcome = await Connector.SendAsync(await DeliveryAsync("hello"), default);
        outcome.Result.ShouldBe(SendResult.Unknown);
        outcome.Reason.ShouldNotBeNullOrEmpty();
        Witness.Posted.Count.ShouldBe(posted);
    }

    [Fact]
    public async Task Success_that_nobody_understands_is_unknown()
    {
        Witness.Next(Fault.Garbage);
        (await Connector.SendAsync(await DeliveryAsync("hello"), default)).Result.ShouldBe(ReadsAnswers ? SendResult.Unknown : SendResult.Sent);
    }

    [Fact]
    public async Task Too_many_requests_say_how_long_to_wait_and_nothing_is_posted()
    {
        Witness.Next(Fault.TooManyRequests);
        var outcome = await Connector.SendAsync(await DeliveryAsync("hello"), default);
        outcome.Result.ShouldBe(SendResult.RateLimited);
        outcome.RetryAfter.ShouldNotBeNull().TotalSeconds.ShouldBeInRange(Witness.RetryAfterSeconds - 2, Witness.RetryAfterSeconds + 1);
        Witness.Posted.ShouldBeEmpty();
    }

    [Fact]
    public async Task Nobody_there_is_not_sent()
    {
        var delivery = await DeliveryAsync("hello");
        await Witness.StopAsync();
        (await Connector.SendAsync(delivery, default)).Result.ShouldBe(SendResult.NotSent);
        await Witness.StartAsync();
        (await Connector.SendAsync(delivery with { Attempt = 2 }, default)).Result.ShouldBe(SendResult.Sent);
        Witness.Posted.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_token_that_is_refused_says_so()
    {
        var delivery = await DeliveryAsync("hello");
        Witness.RefusesTokens = true;
        (await Connector.SendAsync(delivery, default)).Result.ShouldBe(WhenTokenIsRefused);
        Witness.Posted.ShouldBeEmpty();
    }

    [Fact]
    public async Task An_account_that_is_gone_says_so()
    {
        var delivery = await DeliveryAsync("hello");
        Witness.IsGone = true;
        var outcome = await Connector.SendAsync(delivery, default);
        outcome.Result.ShouldBe(WhenGone);
        Witness.Posted.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_text_that_is_too_long_is_said_before_it_is_sent()
    {
        var delivery = await DeliveryAsync(TooLongText);
        (await Connector.CheckAsync(delivery.Post, delivery.Account, default)).ShouldHaveSingleItem().ShouldContain("shorten");
        (await Connector.CheckAsync(delivery.Post with { Text = "short" }, delivery.Account, default)).ShouldBeEmpty();
    }

    [Fact]
    public async Task A_repetition_under_the_same_key_is_one_post_where_the_platform_knows_keys()
    {
        var delivery = await DeliveryAsync("hello");
        Witness.Next(Fault.CutAfter, Fault.Twice);
        (await Connector.SendAsync(delivery, default)).Result.ShouldBe(SendResult.Unknown);
        if (Connector.Repeats == Repeats.Never)
        {
            (await Connector.FindAsync(delivery, default)).IsThere.ShouldBeNull();
            return;
        }

        var again = await Connector.SendAsync(delivery with { Attempt = 2 }, default);
        again.Result.ShouldBe(SendResult.Sent, again.Reason);
        Witness.Posted.Count.ShouldBe(1);
    }

    [Fact]
    public async Task A_file_goes_with_the_post()
    {
        var delivery = await DeliveryAsync("with a picture");
        var outcome = await Connector.SendAsync(delivery with { Post = delivery.Post with { Media = [Picture()] } }, default);
        outcome.Result.ShouldBe(SendResult.Sent, outcome.Reason);
        var posted = Witness.Posted.ShouldHaveSingleItem();
        posted.Files.ShouldBe(1);
        posted.Text.ShouldBe("with a picture");
    }

    [Fact]
    public async Task A_file_that_is_gone_sends_nothing()
    {
        if (Connector.Platform == "webhook") return; // it names files, it does not send them
        var delivery = await DeliveryAsync("with a picture");
        var gone = Picture() with { OpenAsync = _ => throw new FileNotFoundException() };
        (await Connector.SendAsync(delivery with { Post = delivery.Post with { Media = [gone] } }, default)).Result.ShouldBe(SendResult.Rejected);
        Witness.Posted.ShouldBeEmpty();
    }

    [Fact]
    public async Task No_secret_is_in_what_is_said()
    {
        var delivery = await DeliveryAsync("hello");
        var texts = new List<string?> { delivery.Account.ToString() };
        foreach (var fault in Enum.GetValues<Fault>().Where(static fault => fault != Fault.Slow))
        {
            Witness.Next(fault);
            texts.Add(JsonSerializer.Serialize(await Connector.SendAsync(delivery with { Key = $"{delivery.Key}-{fault}" }, default)));
        }

        Witness.RefusesTokens = true;
        texts.Add(JsonSerializer.Serialize(await Connector.SendAsync(delivery, default)));
        texts.Add(JsonSerializer.Serialize(await Connector.RenewAsync(delivery.Account, default)));
        await Witness.StopAsync();
        texts.Add(JsonSerializer.Serialize(await Connector.SendAsync(delivery, default)));
        texts.ShouldAllBe(text => !text!.Contains(Secret, StringComparison.Ordinal));
    }

    /// <summary>What the account is connected with.</summary>
    private protected abstract ConnectRequest Request();

    private protected abstract IPublishingConnector Create(OutgoingHttp http);

    /// <summary>An attempt at a new post of a connected account.</summary>
    private protected async Task<Delivery> DeliveryAsync(string text) => DeliveryOf(await ConnectAsync(), text);

    private protected async Task<ConnectedAccount> ConnectAsync()
    {
        var answer = await Connector.ConnectAsync(Request(), default);
        answer.Problem.ShouldBeNull();
        return AccountOf(answer.Account!);
    }

    private protected ConnectedAccount AccountOf(NewAccount account) =>
        new("account-1", "user-1", Connector.Platform, account.ExternalId, account.Handle, account.BaseUrl, account.Secrets);

    private protected static Delivery DeliveryOf(ConnectedAccount account, string text)
    {
        var now = TimeProvider.System.GetUtcNow();
        var post = new OutgoingPost($"{Guid.NewGuid():N}", "", text, "", new Uri("https://tidings.test/posts/1"), now, []);
        return new Delivery(post, account, $"{Guid.NewGuid():N}-1", 1, now) { KeepAsync = static (_, _) => Task.CompletedTask };
    }

    private protected static OutgoingMedia Picture(string contentType = "image/png") => new(
        "media-1", contentType, 4, 2, 1, "two dots", static _ => ValueTask.FromResult<Stream>(new MemoryStream([1, 2, 3, 4])));

    private protected static ConnectRequest RequestOf(object credentials, string? handle = null, Uri? baseUrl = null) => new(handle, baseUrl, JsonSerializer.SerializeToElement(credentials));
}
