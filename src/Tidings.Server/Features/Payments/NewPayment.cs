using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>What came of asking for a payment inside of a unit: the payment to be made, or what is wrong.</summary>
internal readonly record struct PaymentOffer(PaymentRow? Payment, IResult? Problem)
{
    public static implicit operator PaymentOffer(PaymentRow payment) => new(payment, null);

    public static PaymentOffer Refused(IResult problem) => new(null, problem);
}

/// <summary>
/// Begins a payment: it is pending, and gives nothing, until the provider confirms it (<see cref="PaymentWebhook"/>). One way for
/// all that can be paid for, so that keys, limits and answers are the same.
/// </summary>
internal static class NewPayment
{
    public const int ReferenceChars = 200;

    private const int MaxBody = 4 * 1024;

    /// <summary>Reads the request, checks it, and writes the payment that <paramref name="offer"/> makes of it.</summary>
    /// <param name="http">The request.</param>
    /// <param name="userId">Who pays.</param>
    /// <param name="type">The shape of the body.</param>
    /// <param name="check">Adds what is wrong with a body, by the fields' names.</param>
    /// <param name="offer">Makes the payment inside of the unit; it gets the id and the time.</param>
    /// <param name="store">The store.</param>
    /// <param name="clock">The clock.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public static async Task<IResult> BeginAsync<T>(
        HttpRequest http,
        string userId,
        JsonTypeInfo<T> type,
        Action<T, Dictionary<string, string[]>> check,
        Func<IWriteUnit, T, string, DateTimeOffset, ValueTask<PaymentOffer>> offer,
        Store store,
        TimeProvider clock,
        CancellationToken cancellationToken)
        where T : class
    {
        var key = IdempotencyKeys.Read(http, out var problem);
        if (problem is not null) return problem;
        var body = await RequestJson.ReadAsync(http, type, MaxBody, key is not null, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        check(request, errors);
        if (errors.Count > 0) return Problems.Invalid(errors);

        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now).ToString("N");
        var keyed = new KeyedRequest(userId, key, body.Fingerprint, now);
        var (answer, first, refusal) = await store.WriteAsync<(byte[]?, FirstAnswer?, IResult?)>(
            async write =>
            {
                if (await keyed.FindAsync(write) is { } earlier) return (null, earlier, null);
                var offered = await offer(write, request, id, now);
                if (offered.Payment is not { } payment) return (null, null, offered.Problem);

                var written = JsonSerializer.SerializeToUtf8Bytes(new PaymentAnswer(payment.View()), PaymentsJson.Answers.PaymentAnswer);
                if (await keyed.KeepAsync(write, StatusCodes.Status202Accepted, written, LocationOf(id)) is { } twin) return (null, twin, null);
                await payment.InsertAsync(write);
                return (written, null, null);
            },
            cancellationToken);

        if (first is not null) return keyed.Repeat(first);
        return refusal ?? new JsonAnswer(StatusCodes.Status202Accepted, answer!, LocationOf(id));
    }

    /// <summary>What every request may say about money; whatever is left out is not asked.</summary>
    public static void Check(string field, decimal? amount, string? currency, string? reference, Dictionary<string, string[]> errors)
    {
        if (amount is null) errors[field] = ["Say the price that was shown: another is not taken."];
        Money.Check(field, amount, errors);
        FieldRules.Currency("currency", currency, errors);
        FieldRules.Text("reference", reference, ReferenceChars, errors);
    }

    /// <summary>422 <c>price_changed</c>: the client showed another price than the one that counts.</summary>
    public static IResult PriceChanged(string price, string currency) =>
        Problems.Problem(422, "price_changed", $"The price is {price} {currency} now: show it, and ask again.");

    private static string LocationOf(string id) => $"/api/payments/{id}";
}
