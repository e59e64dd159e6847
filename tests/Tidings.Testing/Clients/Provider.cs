using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Tidings.Testing.Servers;

namespace Tidings.Testing.Clients;

/// <summary>The payment provider of a server under test: it confirms and refunds with signed webhooks (Standard Webhooks).</summary>
public sealed class Provider
{
    private readonly byte[] _key = RandomNumberGenerator.GetBytes(32);

    /// <summary>For <c>Payments:WebhookSecret</c>.</summary>
    public string Secret => $"whsec_{Convert.ToBase64String(_key)}";

    /// <summary>Subscribes a user to a creator's tier and confirms the payment.</summary>
    /// <returns>The payment, to be refunded.</returns>
    public async Task<JsonElement> SubscribeAsync(Account user, Account creator, string tier, decimal price)
    {
        var payment = await BeginAsync(user, "/api/subscriptions/process-payment", new { creatorId = creator.Id, tier, price, currency = "SOL" });
        await TellAsync(user.Server, "payment.confirmed", payment);
        return payment;
    }

    /// <summary>Buys a post and confirms the payment.</summary>
    /// <returns>The payment, to be refunded.</returns>
    public async Task<JsonElement> BuyAsync(Account user, string postId, decimal price)
    {
        var payment = await BeginAsync(user, $"/api/posts/{postId}/purchase", new { price, currency = "SOL" });
        await TellAsync(user.Server, "payment.confirmed", payment);
        return payment;
    }

    /// <summary>Tips a creator for a post and confirms the payment.</summary>
    public async Task TipAsync(Account user, Account creator, string postId, decimal amount, string currency)
    {
        var payment = await BeginAsync(user, "/api/tips", new { creatorId = creator.Id, postId, amount, currency });
        await TellAsync(user.Server, "payment.confirmed", payment);
    }

    /// <summary>Takes a payment back.</summary>
    public Task RefundAsync(ServerProcess server, JsonElement payment) => TellAsync(server, "payment.refunded", payment);

    private static async Task<JsonElement> BeginAsync(Account user, string path, object body)
    {
        using var answer = await user.Http.PostAsJsonAsync(path, body);
        return (await Account.ReadAsync(answer, System.Net.HttpStatusCode.Accepted)).GetProperty("payment");
    }

    private async Task TellAsync(ServerProcess server, string type, JsonElement payment)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new
        {
            type,
            data = new { paymentId = payment.Text("id"), amount = payment.GetProperty("amount"), currency = payment.Text("currency") },
        });
        var (id, time) = (Guid.NewGuid().ToString("N"), DateTimeOffset.UtcNow.ToUnixTimeSeconds());
        var signature = HMACSHA256.HashData(_key, (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{time}."), .. body]);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/payments/webhook") { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.Add("webhook-id", id);
        request.Headers.Add("webhook-timestamp", $"{time}");
        request.Headers.Add("webhook-signature", $"v1,{Convert.ToBase64String(signature)}");
        using var http = Account.Connect(server);
        using var answer = await http.SendAsync(request);
        if (!answer.IsSuccessStatusCode) throw new HttpRequestException($"{type} gave {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    }
}
