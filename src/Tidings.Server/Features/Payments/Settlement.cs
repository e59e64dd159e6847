using Tidings.Server.Events;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Features.Tiers;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Payments;

/// <summary>What a confirmed payment gives, and what is taken back with a refund: in the unit that hears of it.</summary>
internal static class Settlement
{
    /// <summary>How long a payment opens a tier.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromDays(30);

    /// <summary>
    /// Gives what was paid for. If there is nothing to give any more (the creator is gone, or one has blocked the other meanwhile) the payment stays
    /// confirmed with nothing given, and the provider is to refund it.
    /// </summary>
    public static async ValueTask GrantAsync(IWriteUnit write, PaymentRow payment, DateTimeOffset now)
    {
        switch (payment.Kind)
        {
            case PaymentRow.OfSubscription:
                var level = payment.Level!.Value;
                var until = await SubscriptionGrants.EndOfAsync(write, payment.UserId, payment.CreatorId, level, Period, now);
                await SubscriptionGrants.GrantAsync(write, new SubscriptionGrant(payment.UserId, payment.CreatorId, level, until, payment.Id), now);
                break;
            case PaymentRow.OfPurchase:
                await Purchases.Purchases.GrantAsync(write, payment.UserId, payment.PostId!, payment.Id, now);
                break;
            default:
                await TipAsync(write, payment, now);
                break;
        }
    }

    /// <summary>Takes back what a payment gave.</summary>
    public static async ValueTask TakeBackAsync(IWriteUnit write, PaymentRow payment, DateTimeOffset now)
    {
        if (payment.Kind == PaymentRow.OfSubscription) await SubscriptionGrants.EndAsync(write, payment.Id, now);
        else if (payment.Kind == PaymentRow.OfPurchase) await Purchases.Purchases.EndAsync(write, payment.Id, now);
    }

    private static async ValueTask TipAsync(IWriteUnit write, PaymentRow payment, DateTimeOffset now)
    {
        if (await write.QuerySingleOrDefaultAsync<Tipper>(Sql.Tipper, new { payment.UserId }) is not { } from) return;
        var tip = new TipView(payment.Id, Money.Read(payment.Amount), payment.Currency, from.View(), payment.PostId);
        await write.AppendAsync(new TipReceived(payment.CreatorId, tip, now));
    }

    private sealed record Tipper(string Id, string Nickname, string? FullName, string? Avatar, long IsCreator)
    {
        public PostCreator View() => new(Id, Nickname, FullName ?? "", Avatar, IsCreator != 0);
    }

    private static class Sql
    {
        public const string Tipper =
            "SELECT id AS Id, nickname AS Nickname, full_name AS FullName, avatar AS Avatar, is_creator AS IsCreator FROM users WHERE id = @UserId";
    }
}
