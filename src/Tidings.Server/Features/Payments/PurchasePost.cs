using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>Begins the payment of a locked post that has a price.</summary>
internal static class PurchasePost
{
    public sealed record Request
    {
        public decimal? Price { get; init; }
        public string? Currency { get; init; }

        /// <summary>What the provider calls the payment, if the client knows.</summary>
        public string? Reference { get; init; }
    }

    public static Task<IResult> HandleAsync(
        string id, HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken) => NewPayment.BeginAsync(
            http,
            user.Id,
            PaymentsRequestJson.Strict.PurchasePost,
            static (request, errors) => NewPayment.Check("price", request.Price, request.Currency, request.Reference, errors),
            (write, request, paymentId, now) => OfferAsync(write, request, id, user.Id, paymentId, now),
            store,
            clock,
            cancellationToken);

    private static async ValueTask<PaymentOffer> OfferAsync(IWriteUnit write, Request request, string postId, string userId, string paymentId, DateTimeOffset now)
    {
        var standing = await PostAccess.OfAsync(write, userId, postId, now);
        if (!standing.IsThere) return PaymentOffer.Refused(Problems.NotFound("post"));
        if (standing.View == PostView.Full) return PaymentOffer.Refused(Problems.Problem(422, "already_open", "This post is open to you already."));
        if (await write.QuerySingleOrDefaultAsync<Offered>(Sql.Offered, new { PostId = postId }) is not { Price: { } price } offered)
            return PaymentOffer.Refused(Problems.Problem(422, "not_for_sale", "This post has no price: a subscription opens it."));
        if (price != Money.Text(request.Price!.Value) || offered.Currency != (request.Currency ?? offered.Currency))
            return PaymentOffer.Refused(NewPayment.PriceChanged(price, offered.Currency));

        return new PaymentRow
        {
            Id = paymentId,
            UserId = userId,
            Kind = PaymentRow.OfPurchase,
            CreatorId = standing.AuthorId,
            PostId = postId,
            Amount = price,
            Currency = offered.Currency,
            Reference = request.Reference,
            CreatedAt = now.ToUnixTimeMilliseconds(),
        };
    }

    private sealed record Offered(string? Price, string Currency);

    private static class Sql
    {
        public const string Offered = "SELECT price AS Price, currency AS Currency FROM posts WHERE id = @PostId AND is_locked = 1 AND price IS NOT NULL";
    }
}
