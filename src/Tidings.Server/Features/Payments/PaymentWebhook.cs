using System.Text.Json;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;
using Tidings.Server.Webhooks;

namespace Tidings.Server.Features.Payments;

/// <summary>
/// Hears from the provider what became of a payment. Only a signed message counts, only of the amount and currency that were asked for; said
/// again it changes nothing. What came is answered with 204 when it is on disk, so a provider that hears nothing says it again.
/// </summary>
internal static class PaymentWebhook
{
    private const int MaxBody = 64 * 1024;

    public sealed record Message(string? Type, MessageData? Data);

    public sealed record MessageData(string? PaymentId, decimal? Amount, string? Currency, string? Reference);

    public static async Task<IResult> HandleAsync(HttpRequest http, TidingsOptions options, HostSecrets secrets, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        if (await RawBody.ReadAsync(http, MaxBody, cancellationToken) is not { } body) return RawBody.TooLarge(MaxBody);
        var now = clock.GetUtcNow();
        if (!StandardWebhook.IsSigned(PaymentKey.Of(options, secrets), http.Headers, body.Span, now))
            return Problems.Problem(401, "invalid_signature", "The signature is not the provider's, or older than five minutes.");

        Message? message;
        try
        {
            message = JsonSerializer.Deserialize(body.Span, PaymentsRequestJson.Strict.Webhook);
        }
        catch (JsonException exception)
        {
            return JsonBodies.ProblemOf(exception);
        }

        if (StatusOf(message?.Type) is not { } status) return TypedResults.NoContent(); // of something else that the provider tells
        if (message!.Data is not { PaymentId: { Length: > 0 } id } data) return Problems.Invalid("data.paymentId", "Name the payment.");
        if (data.Reference is { Length: > NewPayment.ReferenceChars }) return Problems.Invalid("data.reference", $"This may have at most {NewPayment.ReferenceChars} characters.");

        return await store.WriteAsync(
            async write => await write.QuerySingleOrDefaultAsync<PaymentRow>(Sql.Lock, new { Id = id }) is not { } payment ? Problems.NotFound("payment")
                : !IsAsAsked(payment, data, status) ? Problems.Problem(422, "amount_mismatch", "This is not the amount, the currency or the reference of the payment.")
                : await SettleAsync(write, payment, status, data.Reference, now),
            cancellationToken);
    }

    private static async ValueTask<IResult> SettleAsync(IWriteUnit write, PaymentRow payment, string status, string? reference, DateTimeOffset now)
    {
        if (!MayBecome(payment.Status, status)) return TypedResults.NoContent(); // said before, or overtaken by what came after it
        await write.ExecuteAsync(Sql.Change, new { payment.Id, Status = status, Reference = reference ?? payment.Reference, Now = now });
        if (status == PaymentRow.Confirmed) await Settlement.GrantAsync(write, payment, now);
        else if (payment.Status == PaymentRow.Confirmed) await Settlement.TakeBackAsync(write, payment, now);
        return TypedResults.NoContent();
    }

    private static string? StatusOf(string? type) => type switch
    {
        "payment.confirmed" => PaymentRow.Confirmed,
        "payment.failed" => PaymentRow.Failed,
        "payment.refunded" => PaymentRow.Refunded,
        _ => null,
    };

    /// <summary>A payment that failed may be tried again; one that was refunded is over, also if the refund is heard of first.</summary>
    private static bool MayBecome(string from, string to) => (from, to) switch
    {
        (PaymentRow.Pending, _) => true,
        (PaymentRow.Failed, PaymentRow.Confirmed or PaymentRow.Refunded) => true,
        (PaymentRow.Confirmed, PaymentRow.Refunded) => true,
        _ => false,
    };

    /// <summary>A message that says nothing of the money is good for a failure alone.</summary>
    private static bool IsAsAsked(PaymentRow payment, MessageData said, string status)
    {
        if (said.Reference is { } reference && payment.Reference is { } known && reference != known) return false;
        if (status == PaymentRow.Failed && said is { Amount: null, Currency: null }) return true;
        return said.Amount == Money.Read(payment.Amount) && said.Currency == payment.Currency;
    }

    private static class Sql
    {
        public const string Lock = $"{PaymentRow.Sql.Read} /*FOR UPDATE*/";

        public const string Change = "UPDATE payments SET status = @Status, reference = @Reference, updated_at = @Now WHERE id = @Id";
    }
}
