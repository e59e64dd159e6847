using System.Text.Json.Serialization;
using Dapper;
using Tidings.Server.Auth;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Subscriptions;

/// <summary>What the user has subscribed to, the newest first, those that are over as well.</summary>
internal sealed record SubscriptionsAnswer(IReadOnlyList<SubscriptionView> Subscriptions);

/// <summary>One subscription.</summary>
internal sealed record SubscriptionAnswer(SubscriptionView Subscription);

/// <summary>The subscriptions of the signed-in user: one for each paid period.</summary>
internal static class ListSubscriptions
{
    private const int Most = 200;

    public static async Task<IResult> HandleAsync(CurrentUser user, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        var rows = await store.ReadAsync(
            async connection => (await connection.QueryAsync<SubscriptionRow>(Sql.OfUser, new { Me = user.Id, Most })).AsList(), cancellationToken);
        return TypedResults.Json(new SubscriptionsAnswer(rows.ConvertAll(row => row.ViewAt(now))), SubscriptionsJson.Answers.SubscriptionsAnswer);
    }

    private static class Sql
    {
        public const string OfUser = $"{SubscriptionRow.Select} WHERE s.user_id = @Me ORDER BY s.id DESC LIMIT @Most";
    }
}

/// <summary>The shapes of the subscriptions' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(SubscriptionsAnswer))]
[JsonSerializable(typeof(SubscriptionAnswer))]
internal sealed partial class SubscriptionsJson : JsonSerializerContext
{
    public static SubscriptionsJson Answers => field ??= new(EventJson.Options(Default.Options));
}
