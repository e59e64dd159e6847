using Tidings.Realtime.Channels;
using Tidings.Server.Auth;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>Begins the payment of a tip, to a creator or for one of the posts of one.</summary>
internal static class SendTip
{
    public sealed record Request
    {
        /// <summary>Whom; may be left out with a post.</summary>
        public string? CreatorId { get; init; }

        public string? PostId { get; init; }
        public decimal? Amount { get; init; }
        public string? Currency { get; init; }

        /// <summary>What the provider calls the payment, if the client knows.</summary>
        public string? Reference { get; init; }
    }

    public static Task<IResult> HandleAsync(HttpRequest http, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken) =>
        NewPayment.BeginAsync(
            http, user.Id, PaymentsRequestJson.Strict.SendTip, Check, (write, request, id, now) => OfferAsync(write, request, user.Id, id, now), store, clock, cancellationToken);

    private static void Check(Request request, Dictionary<string, string[]> errors)
    {
        if (request.CreatorId is null && request.PostId is null) errors["creatorId"] = ["Name a creator, or a post."];
        if (request.CreatorId is { } creator && !ChannelName.IsId(creator)) errors["creatorId"] = ["This is not the id of a creator."];
        if (request.PostId is { } post && !ChannelName.IsId(post)) errors["postId"] = ["This is not the id of a post."];
        NewPayment.Check("amount", request.Amount, request.Currency, request.Reference, errors);
        if (request.Amount is null) errors["amount"] = ["A tip needs an amount."];
        else if (request.Amount == 0) errors["amount"] = ["A tip is more than nothing."];
    }

    private static async ValueTask<PaymentOffer> OfferAsync(IWriteUnit write, Request request, string userId, string id, DateTimeOffset now)
    {
        var creatorId = request.CreatorId;
        if (request.PostId is { } postId)
        {
            var standing = await PostAccess.OfAsync(write, userId, postId, now);
            if (!standing.IsThere || (creatorId is not null && creatorId != standing.AuthorId)) return PaymentOffer.Refused(Problems.NotFound("post"));
            creatorId = standing.AuthorId;
        }

        if (creatorId == userId) return PaymentOffer.Refused(Problems.Problem(422, "self_tip", "Nobody can tip themselves."));
        if (!await Payees.MayBePaidAsync(write, creatorId!, userId)) return PaymentOffer.Refused(Problems.NotFound("creator"));
        return new PaymentRow
        {
            Id = id,
            UserId = userId,
            Kind = PaymentRow.OfTip,
            CreatorId = creatorId!,
            PostId = request.PostId,
            Amount = Money.Text(request.Amount!.Value),
            Currency = request.Currency ?? "SOL",
            Reference = request.Reference,
            CreatedAt = now.ToUnixTimeMilliseconds(),
        };
    }
}
