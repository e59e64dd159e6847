using Tidings.Server.Auth;

namespace Tidings.Server.Features.Payments;

/// <summary>The routes of payments. They need nothing registered but the store.</summary>
internal static class PaymentsApi
{
    public static IEndpointRouteBuilder MapPayments(this IEndpointRouteBuilder routes)
    {
        var paying = routes.MapGroup("/api").WithTags("payments").RequireAuthorization();
        paying.MapPost("/subscriptions/process-payment", ProcessPayment.HandleAsync).WithName("ProcessPayment")
            .WithSummary("Begins the payment of a subscription: pending until the provider confirms it.")
            .Accepts<ProcessPayment.Request>("application/json").Produces<PaymentAnswer>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(422);
        paying.MapPost("/posts/{id}/purchase", PurchasePost.HandleAsync).WithName("PurchasePost")
            .WithSummary("Begins the payment of a locked post.")
            .Accepts<PurchasePost.Request>("application/json").Produces<PaymentAnswer>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(422);
        paying.MapPost("/tips", SendTip.HandleAsync).WithName("SendTip")
            .WithSummary("Begins the payment of a tip.")
            .Accepts<SendTip.Request>("application/json").Produces<PaymentAnswer>(202).ProducesProblem(400).ProducesProblem(404).ProducesProblem(422);

        var payments = routes.MapGroup("/api/payments").WithTags("payments");
        payments.MapGet("/{id}", GetPayment.HandleAsync).WithName("GetPayment").RequireAuthorization(policy => policy.RequireAuthenticatedUser())
            .WithSummary("A payment, for who makes it and for backends.").Produces<PaymentAnswer>().ProducesProblem(404);
        payments.MapPost("/webhook", PaymentWebhook.HandleAsync).WithName("PaymentWebhook").IgnoreCredentials()
            .WithSummary("What became of a payment, signed by the provider (Standard Webhooks).")
            .Accepts<PaymentWebhook.Message>("application/json").Produces(204).ProducesProblem(400).ProducesProblem(401).ProducesProblem(404).ProducesProblem(422);
        return routes;
    }
}
