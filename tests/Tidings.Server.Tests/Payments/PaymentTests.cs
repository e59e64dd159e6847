using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Server.Webhooks;
using Tidings.Testing;
using Tidings.Testing.Checks;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests.Payments;

/// <summary>Paying, with a provider that signs what it says, against the whole server.</summary>
public sealed class PaymentTests : IClassFixture<PaymentTests.Shop>
{
    private const string Secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private readonly Shop _shop;

    public PaymentTests(Shop shop) => _shop = shop;

    [Fact]
    public async Task A_subscription_begins_when_the_provider_confirms_it_and_never_by_the_clients_word()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        await using var client = await NativeClient.ConnectAsync(creator);
        await client.SubscribeAsync($"user:{creator.Id}");

        var payment = await PayAsync(fan, "/api/subscriptions/process-payment", new { creatorId = creator.Id, tier = "gold", price = 9.50, currency = "EUR" });
        payment.GetProperty("status").GetString().ShouldBe("pending");
        (await fan.GetAsync("/api/subscriptions")).GetProperty("subscriptions").GetArrayLength().ShouldBe(0);

        (await SayAsync("payment.confirmed", payment)).ShouldBe(HttpStatusCode.NoContent);

        var subscription = (await fan.GetAsync("/api/subscriptions")).GetProperty("subscriptions").EnumerateArray().ShouldHaveSingleItem();
        subscription.GetProperty("level").GetInt32().ShouldBe(2);
        subscription.GetProperty("status").GetString().ShouldBe("active");
        var told = await client.WaitForAsync(static message => message.IsOfType("new_subscription"), "the creator hears of it");
        told.GetProperty("subscription").GetProperty("userId").GetString().ShouldBe(fan.Id);
        (await NotificationOfAsync(creator, "NEW_SUBSCRIBER")).GetProperty("data").GetProperty("actor").GetProperty("id").GetString().ShouldBe(fan.Id);
        (await StatusOfAsync(fan, payment)).ShouldBe("confirmed");
    }

    [Fact]
    public async Task Said_again_it_changes_nothing_and_a_refund_ends_it_for_good()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        var payment = await PayAsync(fan, "/api/subscriptions/process-payment", new { creatorId = creator.Id, tier = "Gold", price = 9.5, currency = "EUR" });

        var body = BodyOf("payment.confirmed", payment);
        for (var time = 0; time < 3; time++) (await SendAsync(body, "msg_same")).ShouldBe(HttpStatusCode.NoContent);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(number => SendAsync(body, $"msg_{number}")));
        (await SayAsync("payment.failed", payment)).ShouldBe(HttpStatusCode.NoContent);
        (await StatusOfAsync(fan, payment)).ShouldBe("confirmed");
        (await fan.GetAsync("/api/subscriptions")).GetProperty("subscriptions").EnumerateArray().ShouldHaveSingleItem().GetProperty("status").GetString().ShouldBe("active");

        (await SayAsync("payment.refunded", payment)).ShouldBe(HttpStatusCode.NoContent);
        (await SendAsync(body, "msg_late")).ShouldBe(HttpStatusCode.NoContent);
        (await StatusOfAsync(fan, payment)).ShouldBe("refunded");
        (await fan.GetAsync("/api/subscriptions")).GetProperty("subscriptions").EnumerateArray().ShouldHaveSingleItem().GetProperty("status").GetString().ShouldBe("ended");
    }

    [Fact]
    public async Task A_refund_that_is_heard_of_first_gives_nothing()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        var payment = await PayAsync(fan, "/api/subscriptions/process-payment", new { creatorId = creator.Id, tier = "gold", price = 9.5, currency = "EUR" });

        await SayAsync("payment.refunded", payment);
        await SayAsync("payment.confirmed", payment);

        (await StatusOfAsync(fan, payment)).ShouldBe("refunded");
        (await fan.GetAsync("/api/subscriptions")).GetProperty("subscriptions").GetArrayLength().ShouldBe(0);
    }

    [Fact]
    public async Task Another_amount_another_currency_and_an_unsigned_word_give_nothing()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        var payment = await PayAsync(fan, "/api/subscriptions/process-payment", new { creatorId = creator.Id, tier = "gold", price = 9.5, currency = "EUR" });
        var id = payment.GetProperty("id").GetString();

        foreach (var data in new[]
        {
            $$"""{"paymentId":"{{id}}","amount":9.49,"currency":"EUR"}""",
            $$"""{"paymentId":"{{id}}","amount":9.5,"currency":"USD"}""",
            $$"""{"paymentId":"{{id}}","amount":9.5}""",
            $$"""{"paymentId":"{{id}}","currency":"EUR"}""",
        })
            (await SendAsync($$"""{"type":"payment.confirmed","data":{{data}}}""", "m")).ShouldBe(HttpStatusCode.UnprocessableEntity, data);

        (await SendAsync("""{"type":"payment.confirmed","data":{"paymentId":"nothing","amount":1,"currency":"EUR"}}""", "m")).ShouldBe(HttpStatusCode.NotFound);
        (await SendAsync("""{"type":"payment.confirmed","data":{}}""", "m")).ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync("""{"type":"payment.confirmed","data":{"paymentId":7}}""", "m")).ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync("not json", "m")).ShouldBe(HttpStatusCode.BadRequest);
        (await SendAsync("""{"type":"customer.created","data":{"anything":1}}""", "m")).ShouldBe(HttpStatusCode.NoContent);

        var body = BodyOf("payment.confirmed", payment);
        (await SendAsync(body, "m", signature: "v1,AAAA")).ShouldBe(HttpStatusCode.Unauthorized);
        (await SendAsync(body, "m", sentAt: TimeProvider.System.GetUtcNow().AddMinutes(-6))).ShouldBe(HttpStatusCode.Unauthorized);
        using var unsigned = await fan.Http.PostAsync("/api/payments/webhook", new StringContent(body, Encoding.UTF8, "application/json"));
        unsigned.StatusCode.ShouldBe(HttpStatusCode.Unauthorized);
        (await StatusOfAsync(fan, payment)).ShouldBe("pending");
    }

    [Fact]
    public async Task The_price_is_the_creators()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        foreach (var (request, status, code) in new (object, HttpStatusCode, string)[]
        {
            (new { creatorId = creator.Id, tier = "gold", price = 0.01, currency = "EUR" }, HttpStatusCode.UnprocessableEntity, "price_changed"),
            (new { creatorId = creator.Id, tier = "gold", price = 9.5, currency = "USD" }, HttpStatusCode.UnprocessableEntity, "price_changed"),
            (new { creatorId = creator.Id, tier = "diamond", price = 9.5, currency = "EUR" }, HttpStatusCode.UnprocessableEntity, "unknown_tier"),
            (new { creatorId = fan.Id, tier = "gold", price = 9.5, currency = "EUR" }, HttpStatusCode.UnprocessableEntity, "self_subscription"),
            (new { creatorId = "nobody", tier = "gold", price = 9.5, currency = "EUR" }, HttpStatusCode.NotFound, "not_found"),
            (new { creatorId = creator.Id, tier = "gold", currency = "EUR" }, HttpStatusCode.BadRequest, "invalid"),
            (new { creatorId = creator.Id, tier = "gold", price = -1, currency = "EUR" }, HttpStatusCode.BadRequest, "invalid"),
            (new { creatorId = creator.Id, tier = "gold", price = "9.5", currency = "EUR" }, HttpStatusCode.BadRequest, "invalid"),
        })
        {
            using var answer = await fan.Http.PostAsJsonAsync("/api/subscriptions/process-payment", request);
            (await Account.ReadAsync(answer, status)).GetProperty("code").GetString().ShouldBe(code, JsonSerializer.Serialize(request));
        }
    }

    [Fact]
    public async Task A_repeated_request_is_one_payment()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        var request = new { creatorId = creator.Id, amount = 3, currency = "EUR" };

        var ids = new List<string?>();
        for (var time = 0; time < 3; time++)
        {
            using var message = new HttpRequestMessage(HttpMethod.Post, "/api/tips") { Content = JsonContent.Create(request), Headers = { { "Idempotency-Key", "tip" } } };
            using var answer = await fan.Http.SendAsync(message);
            ids.Add((await Account.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("payment").GetProperty("id").GetString());
        }

        ids.Distinct().ShouldHaveSingleItem();
        using var other = new HttpRequestMessage(HttpMethod.Post, "/api/tips")
        {
            Content = JsonContent.Create(new { creatorId = creator.Id, amount = 4, currency = "EUR" }),
            Headers = { { "Idempotency-Key", "tip" } },
        };
        (await fan.Http.SendAsync(other)).StatusCode.ShouldBe(HttpStatusCode.UnprocessableEntity);
    }

    [Fact]
    public async Task A_tip_is_told_to_its_creator()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        using var stranger = await _shop.UserAsync("stranger");
        await using var client = await NativeClient.ConnectAsync(creator);
        await client.SubscribeAsync($"user:{creator.Id}");
        var payment = await PayAsync(fan, "/api/tips", new { creatorId = creator.Id, amount = 2.5, currency = "EUR" });
        (await stranger.Http.GetAsync($"/api/payments/{payment.GetProperty("id").GetString()}")).StatusCode.ShouldBe(HttpStatusCode.NotFound);

        await SayAsync("payment.confirmed", payment);

        var tip = (await client.WaitForAsync(static message => message.IsOfType("tip_received"), "the tip")).GetProperty("tip");
        tip.GetProperty("amount").GetDecimal().ShouldBe(2.5m);
        tip.GetProperty("currency").GetString().ShouldBe("EUR");
        tip.GetProperty("from").GetProperty("id").GetString().ShouldBe(fan.Id);
        (await NotificationOfAsync(creator, "TIP_RECEIVED")).GetProperty("data").GetProperty("amount").GetDecimal().ShouldBe(2.5m);
    }

    [Fact]
    public async Task A_bought_post_is_open_to_its_buyer_until_it_is_refunded()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        using var stranger = await _shop.UserAsync("stranger");
        var secret = LockedText.New();
        using var created = await creator.Http.PostAsJsonAsync("/api/posts", new { content = secret.Text, isLocked = true, price = 3, currency = "EUR" });
        var post = (await Account.ReadAsync(created, HttpStatusCode.Created)).GetProperty("post").GetProperty("id").GetString();
        (await TextAsync(fan)).ShouldBe(JsonValueKind.Null);

        using var cheap = await fan.Http.PostAsJsonAsync($"/api/posts/{post}/purchase", new { price = 2, currency = "EUR" });
        (await Account.ReadAsync(cheap, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString().ShouldBe("price_changed");
        var payment = await PayAsync(fan, $"/api/posts/{post}/purchase", new { price = 3, currency = "EUR" });
        (await TextAsync(fan)).ShouldBe(JsonValueKind.Null);
        secret.Allow(fan.Id);
        await SayAsync("payment.confirmed", payment);

        (await TextAsync(fan)).ShouldBe(JsonValueKind.String);
        (await TextAsync(stranger)).ShouldBe(JsonValueKind.Null);
        using var twice = await fan.Http.PostAsJsonAsync($"/api/posts/{post}/purchase", new { price = 3, currency = "EUR" });
        (await Account.ReadAsync(twice, HttpStatusCode.UnprocessableEntity)).GetProperty("code").GetString().ShouldBe("already_open");

        await SayAsync("payment.refunded", payment);
        secret.Forbid(fan.Id);
        (await TextAsync(fan)).ShouldBe(JsonValueKind.Null);

        async Task<JsonValueKind> TextAsync(Account reader) =>
            (await reader.GetAsync($"/api/posts/{post}")).GetProperty("post").GetProperty("content").GetProperty("text").ValueKind;
    }

    [Fact]
    public async Task What_is_not_for_sale_cannot_be_bought()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        var open = (await creator.PostAsync("for everybody")).GetProperty("id").GetString();
        using var created = await creator.Http.PostAsJsonAsync("/api/posts", new { content = LockedText.New().Text, tier = "gold", isLocked = true });
        var tiered = (await Account.ReadAsync(created, HttpStatusCode.Created)).GetProperty("post").GetProperty("id").GetString();

        foreach (var (post, status, code) in new[]
        {
            (open, HttpStatusCode.UnprocessableEntity, "already_open"),
            (tiered, HttpStatusCode.UnprocessableEntity, "not_for_sale"),
            ("nothing", HttpStatusCode.NotFound, "not_found"),
        })
        {
            using var answer = await fan.Http.PostAsJsonAsync($"/api/posts/{post}/purchase", new { price = 1, currency = "EUR" });
            (await Account.ReadAsync(answer, status)).GetProperty("code").GetString().ShouldBe(code);
        }
    }

    [Fact]
    public async Task The_command_line_confirms_a_payment_without_a_providers_secret()
    {
        await using var server = await ProductServer.StartAsync([]);
        using var creator = await Account.RegisterAsync(server, "creator");
        using var fan = await Account.RegisterAsync(server, "fan");
        var payment = await PayAsync(fan, "/api/tips", new { creatorId = creator.Id, amount = 2.50, currency = "EUR" });
        var id = payment.GetProperty("id").GetString()!;

        var (exitCode, output) = await server.RunCommandAsync("confirm-payment", id, "--url", server.Address.ToString());

        exitCode.ShouldBe(0, output);
        output.ShouldContain("tip of 2.5 EUR: confirmed");
        (await StatusOfAsync(fan, payment)).ShouldBe("confirmed");
        (await server.RunCommandAsync("confirm-payment", "nothing", "--url", server.Address.ToString())).ExitCode.ShouldBe(1);
        (await server.RunCommandAsync("confirm-payment")).ExitCode.ShouldBe(2);
    }

    [Fact]
    public async Task A_creator_whom_one_cannot_tip()
    {
        using var creator = await _shop.CreatorAsync();
        using var fan = await _shop.UserAsync("fan");
        foreach (var (request, status) in new (object, HttpStatusCode)[]
        {
            (new { creatorId = fan.Id, amount = 1, currency = "EUR" }, HttpStatusCode.UnprocessableEntity),
            (new { creatorId = "nobody", amount = 1, currency = "EUR" }, HttpStatusCode.NotFound),
            (new { postId = "nothing", amount = 1, currency = "EUR" }, HttpStatusCode.NotFound),
            (new { amount = 1, currency = "EUR" }, HttpStatusCode.BadRequest),
            (new { creatorId = creator.Id, amount = 0, currency = "EUR" }, HttpStatusCode.BadRequest),
            (new { creatorId = creator.Id, currency = "EUR" }, HttpStatusCode.BadRequest),
        })
        {
            using var answer = await fan.Http.PostAsJsonAsync("/api/tips", request);
            answer.StatusCode.ShouldBe(status, JsonSerializer.Serialize(request));
        }
    }

    private static async Task<JsonElement> PayAsync(Account payer, string path, object request)
    {
        using var answer = await payer.Http.PostAsJsonAsync(path, request);
        return (await Account.ReadAsync(answer, HttpStatusCode.Accepted)).GetProperty("payment");
    }

    private static async Task<string?> StatusOfAsync(Account payer, JsonElement payment) =>
        (await payer.GetAsync($"/api/payments/{payment.GetProperty("id").GetString()}")).GetProperty("payment").GetProperty("status").GetString();

    private static async Task<JsonElement> NotificationOfAsync(Account reader, string type) =>
        (await reader.GetAsync("/api/user/notifications")).GetProperty("notifications").EnumerateArray().Where(one => one.GetProperty("type").GetString() == type).ShouldHaveSingleItem();

    private static string BodyOf(string type, JsonElement payment) => JsonSerializer.Serialize(new
    {
        type,
        data = new { paymentId = payment.GetProperty("id").GetString(), amount = payment.GetProperty("amount").GetDecimal(), currency = payment.GetProperty("currency").GetString() },
    });

    private Task<HttpStatusCode> SayAsync(string type, JsonElement payment) => SendAsync(BodyOf(type, payment), $"msg_{Guid.NewGuid():N}");

    private async Task<HttpStatusCode> SendAsync(string body, string id, string? signature = null, DateTimeOffset? sentAt = null)
    {
        var at = sentAt ?? TimeProvider.System.GetUtcNow();
        using var http = Account.Connect(_shop.Process);
        using var message = new HttpRequestMessage(HttpMethod.Post, "/api/payments/webhook") { Content = new StringContent(body, Encoding.UTF8, "application/json") };
        message.Headers.Add("webhook-id", id);
        message.Headers.Add("webhook-timestamp", StandardWebhook.TextOf(at));
        message.Headers.Add("webhook-signature", signature ?? StandardWebhook.Sign(StandardWebhook.KeyOf(Secret), id, at, Encoding.UTF8.GetBytes(body)));
        using var answer = await http.SendAsync(message);
        return answer.StatusCode;
    }

    /// <summary>A server with a provider's secret.</summary>
    public sealed class Shop : IAsyncLifetime
    {
        private int _users;

        public ServerProcess Process { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Process = await ProductServer.StartAsync(new Dictionary<string, string> { ["Payments:WebhookSecret"] = Secret });

        public ValueTask DisposeAsync() => Process.DisposeAsync();

        public Task<Account> UserAsync(string name) => Account.RegisterAsync(Process, $"{name}{Interlocked.Increment(ref _users)}");

        /// <summary>Somebody who sells a gold tier for 9.50 EUR.</summary>
        public async Task<Account> CreatorAsync()
        {
            var creator = await UserAsync("creator");
            using var answer = await creator.Http.PutAsJsonAsync(
                "/api/creators/me/tiers", new[] { new { name = "Silver", level = 1, price = 5.0, currency = "EUR" }, new { name = "Gold", level = 2, price = 9.50, currency = "EUR" } });
            answer.EnsureSuccessStatusCode();
            return creator;
        }
    }
}
