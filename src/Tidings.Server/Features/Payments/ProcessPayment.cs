using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>Begins the payment of a subscription: one of a creator's tiers, for 30 days from its confirmation or from the end of what is paid for already.</summary>
internal static class ProcessPayment
{
    public sealed record Request
    {
        public string? CreatorId { get; init; }

        /// <summary>The tier's name.</summary>
        public string? Tier { get; init; }

        public decimal? Price { get; init; }
        public string? Currency { get; init; }

        /// <summary>What the provider calls the payment, if the client knows.</summary>
        public string? Reference { get; init; }
    }

    public static Task<IResult> HandleAsync(HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken) =>
        NewPayment.BeginAsync(
            http, user.Id, PaymentsRequestJson.Strict.ProcessPayment, Check, (write, request, id, now) => OfferAsync(write, request, user.Id, id, now), store, clock, cancellationToken);

    private static void Check(Request request, Dictionary<string, string[]> errors)
    {
        if (request.CreatorId is null || !ChannelName.IsId(request.CreatorId)) errors["creatorId"] = ["This is not the id of a creator."];
        if (string.IsNullOrWhiteSpace(request.Tier)) errors["tier"] = ["Name the tier."];
        NewPayment.Check("price", request.Price, request.Currency, request.Reference, errors);
    }

    private static async ValueTask<PaymentOffer> OfferAsync(IWriteUnit write, Request request, string userId, string id, DateTimeOffset now)
    {
        if (request.CreatorId == userId) return PaymentOffer.Refused(Problems.Problem(422, "self_subscription", "Nobody can subscribe to themselves."));
        if (!await Payees.MayBePaidAsync(write, request.CreatorId!, userId)) return PaymentOffer.Refused(Problems.NotFound("creator"));

        var tiers = await write.QueryAsync<TierRow>(TierRow.OfCreator, new { request.CreatorId });
        if (tiers.FirstOrDefault(tier => tier.Name.Equals(request.Tier, StringComparison.OrdinalIgnoreCase)) is not { } chosen)
            return PaymentOffer.Refused(Problems.Problem(422, "unknown_tier", "The creator has no tier of this name."));
        if (chosen.Price != Money.Text(request.Price!.Value) || chosen.Currency != (request.Currency ?? chosen.Currency))
            return PaymentOffer.Refused(NewPayment.PriceChanged(chosen.Price, chosen.Currency));

        return new PaymentRow
        {
            Id = id,
            UserId = userId,
            Kind = PaymentRow.OfSubscription,
            CreatorId = request.CreatorId!,
            Level = chosen.Level,
            Amount = chosen.Price,
            Currency = chosen.Currency,
            Reference = request.Reference,
            CreatedAt = now.ToUnixTimeMilliseconds(),
        };
    }
}
