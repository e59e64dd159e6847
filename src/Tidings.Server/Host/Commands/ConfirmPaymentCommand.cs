using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tidings.Server.Features.Payments;
using Tidings.Server.Webhooks;

namespace Tidings.Server.Host.Commands;

/// <summary>
/// <c>confirm-payment &lt;id&gt; [--as confirmed|failed|refunded] [--url http://127.0.0.1:5000]</c>: says of a payment what a provider would say, with the
/// same signed message, to the running server. For development: it needs the server's own secrets.
/// </summary>
internal static class ConfirmPaymentCommand
{
    private static readonly string[] Outcomes = ["confirmed", "failed", "refunded"];

    public static Command Command { get; } = new(
        "confirm-payment", "<id> [--as confirmed|failed|refunded] [--url <address>]", "confirms a payment as a provider would, in development", RunAsync);

    private static async Task<int> RunAsync(CommandContext context)
    {
        if (context.Arguments.Count == 0 || context.Arguments[0].StartsWith('-')) throw new CommandUsageException("Name the payment.");
        var id = context.Arguments[0];
        var arguments = new CommandArguments([.. context.Arguments.Skip(1)], "as", "url");
        var outcome = arguments.Optional("as") ?? Outcomes[0];
        if (!Outcomes.Contains(outcome)) throw new CommandUsageException($"--as must be one of {string.Join(", ", Outcomes)}.");

        var server = ServerAddress.Of(arguments, context.Configuration);
        var options = OptionsReader.Read(context.Configuration);
        var secrets = HostSecrets.Resolve(options, warning => context.Errors.WriteLine($"tidings: warning: {warning}"));
        using var http = ServerAddress.Client();
        http.Timeout = TimeSpan.FromSeconds(10);
        try
        {
            using var question = new HttpRequestMessage(HttpMethod.Get, new Uri(server, $"/api/payments/{Uri.EscapeDataString(id)}"));
            question.Headers.Authorization = new AuthenticationHeaderValue("Bearer", secrets.AppSecret);
            using var answer = await http.SendAsync(question);
            var text = await answer.Content.ReadAsStringAsync();
            if (!answer.IsSuccessStatusCode) return await FailAsync(context, answer, text);

            var payment = JsonNode.Parse(text)!["payment"]!;
            using var said = await http.SendAsync(MessageOf(new Uri(server, "/api/payments/webhook"), $"payment.{outcome}", payment, PaymentKey.Of(options, secrets)));
            if (!said.IsSuccessStatusCode) return await FailAsync(context, said, await said.Content.ReadAsStringAsync());
            await context.Output.WriteLineAsync($"{payment["kind"]} of {payment["amount"]} {payment["currency"]}: {outcome}");
            return 0;
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or JsonException)
        {
            await context.Errors.WriteLineAsync($"tidings: {server} does not answer as a Tidings server does: {exception.Message}");
            return 1;
        }
    }

    private static HttpRequestMessage MessageOf(Uri url, string type, JsonNode payment, byte[] key)
    {
        var body = JsonSerializer.SerializeToUtf8Bytes(new JsonObject
        {
            ["type"] = type,
            ["data"] = new JsonObject { ["paymentId"] = payment["id"]!.DeepClone(), ["amount"] = payment["amount"]!.DeepClone(), ["currency"] = payment["currency"]!.DeepClone() },
        });
        var (id, now) = ($"msg_{Guid.NewGuid():N}", TimeProvider.System.GetUtcNow());
        var message = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) };
        message.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        message.Headers.Add(StandardWebhook.IdHeader, id);
        message.Headers.Add(StandardWebhook.TimestampHeader, StandardWebhook.TextOf(now));
        message.Headers.Add(StandardWebhook.SignatureHeader, StandardWebhook.Sign(key, id, now, body));
        return message;
    }

    private static async Task<int> FailAsync(CommandContext context, HttpResponseMessage answer, string text)
    {
        await context.Errors.WriteLineAsync($"tidings: the server answered {(int)answer.StatusCode}: {text}");
        return 1;
    }
}
