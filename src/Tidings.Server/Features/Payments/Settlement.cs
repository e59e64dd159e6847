using Tidings.Server.Events;
using Tidings.Server.Features.Notifications;
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
                var grant = new SubscriptionGrant(payment.UserId, payment.CreatorId, level, until, payment.Id);
                if (await SubscriptionGrants.GrantAsync(write, grant, now) is { } subscription) await TellOfSubscriberAsync(write, payment, subscription, now);
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

    private static async ValueTask TellOfSubscriberAsync(IWriteUnit write, PaymentRow payment, SubscriptionView subscription, DateTimeOffset now)
    {
        if (await PayerAsync(write, payment) is not { } payer) return;
        var data = NotificationsJson.Write(new SubscriberData(subscription.Id, subscription.Level, subscription.Tier, payer), NotificationsJson.Answers.SubscriberData);
        await write.AddAsync(new NewNotification(payment.CreatorId, NotificationTypes.NewSubscriber, "New subscriber", $"{payer.Nickname} subscribed to you", data, now) { ActorId = payer.Id });
    }

    private static async ValueTask TipAsync(IWriteUnit write, PaymentRow payment, DateTimeOffset now)
    {
        if (await PayerAsync(write, payment) is not { } payer) return;
        var tip = new TipView(payment.Id, Money.Read(payment.Amount), payment.Currency, payer, payment.PostId);
        await write.AppendAsync(new TipReceived(payment.CreatorId, tip, now));
        var data = NotificationsJson.Write(tip, NotificationsJson.Answers.TipView);
        await write.AddAsync(new NewNotification(
            payment.CreatorId, NotificationTypes.TipReceived, "New tip", $"{payer.Nickname} sent you {payment.Amount} {payment.Currency}", data, now)
        { ActorId = payer.Id });
    }

    private static async ValueTask<PostCreator?> PayerAsync(IWriteUnit write, PaymentRow payment) =>
        (await write.QuerySingleOrDefaultAsync<Payer>(Sql.Payer, new { payment.UserId }))?.Person();

    private sealed record Payer(string Id, string Nickname, string? FullName, string? Avatar, long IsCreator)
    {
        public PostCreator Person() => new(Id, Nickname, FullName ?? "", Avatar, IsCreator != 0);
    }

    private static class Sql
    {
        public const string Payer =
            "SELECT id AS Id, nickname AS Nickname, full_name AS FullName, avatar AS Avatar, is_creator AS IsCreator FROM users WHERE id = @UserId";
    }
}
