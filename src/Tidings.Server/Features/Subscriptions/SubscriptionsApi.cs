namespace Tidings.Server.Features.Subscriptions;

/// <summary>The routes of subscriptions. What begins one is a payment.</summary>
internal static class SubscriptionsApi
{
    public static IServiceCollection AddSubscriptions(this IServiceCollection services) =>
        services
            .AddSingleton<SubscriptionExpiry>()
            .AddHostedService(provider => provider.GetRequiredService<SubscriptionExpiry>());

    public static IEndpointRouteBuilder MapSubscriptions(this IEndpointRouteBuilder routes)
    {
        var subscriptions = routes.MapGroup("/api/subscriptions").WithTags("subscriptions").RequireAuthorization();
        subscriptions.MapGet("", ListSubscriptions.HandleAsync).WithName("ListSubscriptions").Produces<SubscriptionsAnswer>();
        subscriptions.MapDelete("/{id}", CancelSubscription.HandleAsync).WithName("CancelSubscription").Produces<SubscriptionAnswer>().ProducesProblem(404);
        return routes;
    }
}
