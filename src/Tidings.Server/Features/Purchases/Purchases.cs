using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Purchases;

/// <summary>
/// Which posts users have bought. Given and taken back inside of a payment's unit of work; rights change with the commit, on live
/// connections of every node too.
/// </summary>
internal static class Purchases
{
    /// <summary>Gives a user a post that a payment was confirmed for.</summary>
    /// <returns>False if the payment has given it already.</returns>
    public static async ValueTask<bool> GrantAsync(IWriteUnit write, string userId, string postId, string paymentId, DateTimeOffset now)
    {
        var purchase = new { UserId = userId, PostId = postId, PaymentId = paymentId, Now = now };
        if (await write.ExecuteAsync(Sql.Insert, purchase).ConfigureAwait(false) == 0) return false;
        await write.AppendAsync(new PurchaseChanged(userId, postId, Holds: true, now)).ConfigureAwait(false);
        return true;
    }

    /// <summary>Takes back what a payment gave: it was refunded. Whoever paid twice still has the post.</summary>
    /// <returns>Whether there was anything to take back.</returns>
    public static async ValueTask<bool> EndAsync(IWriteUnit write, string paymentId, DateTimeOffset now)
    {
        var payment = new { PaymentId = paymentId };
        if (await write.QuerySingleOrDefaultAsync<Purchase>(Sql.OfPayment, payment).ConfigureAwait(false) is not { } bought) return false;
        if (await write.ExecuteAsync(Sql.Delete, payment).ConfigureAwait(false) == 0) return false;
        if (await write.QuerySingleOrDefaultAsync<long>(Sql.Left, bought).ConfigureAwait(false) == 0)
            await write.AppendAsync(new PurchaseChanged(bought.UserId, bought.PostId, Holds: false, now)).ConfigureAwait(false);
        return true;
    }

    private sealed record Purchase(string UserId, string PostId);

    private static class Sql
    {
        public const string Insert = """
            INSERT INTO purchases (user_id, post_id, payment_id, created_at) VALUES (@UserId, @PostId, @PaymentId, @Now)
            ON CONFLICT (payment_id) DO NOTHING
            """;

        public const string OfPayment = "SELECT user_id AS UserId, post_id AS PostId FROM purchases WHERE payment_id = @PaymentId /*FOR UPDATE*/";
        public const string Delete = "DELETE FROM purchases WHERE payment_id = @PaymentId";
        public const string Left = "SELECT COUNT(*) FROM purchases WHERE user_id = @UserId AND post_id = @PostId";
    }
}
