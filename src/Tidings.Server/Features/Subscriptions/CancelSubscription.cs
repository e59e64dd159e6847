using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Subscriptions;

/// <summary>
/// Cancels a subscription: what was paid for stays open until it expires, and it is not to be renewed. Asked twice it is done once. Nothing
/// changes for readers, so there is no event.
/// </summary>
internal static class CancelSubscription
{
    public static async Task<IResult> HandleAsync(string id, CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var row = await store.WriteAsync(
            async write =>
            {
                await write.ExecuteAsync(Sql.Cancel, new { Id = id, Me = user.Id, Now = now });
                return await write.QuerySingleOrDefaultAsync<SubscriptionRow>(Sql.Own, new { Id = id, Me = user.Id });
            },
            cancellationToken);
        return row is null
            ? Problems.NotFound("subscription")
            : TypedResults.Json(new SubscriptionAnswer(row.ViewAt(now)), SubscriptionsJson.Answers.SubscriptionAnswer);
    }

    private static class Sql
    {
        public const string Cancel = "UPDATE subscriptions SET status = 'canceled', updated_at = @Now WHERE id = @Id AND user_id = @Me AND status = 'active'";
        public const string Own = $"{SubscriptionRow.Select} WHERE s.id = @Id AND s.user_id = @Me";
    }
}
