namespace Tidings.Server.Features.ConnectedAccounts;

/// <summary>The routes of accounts on other platforms.</summary>
internal static class ConnectedAccountsApi
{
    /// <summary>Registers what keeps accounts. <paramref name="renews"/>: whether this node renews their tokens ahead of time.</summary>
    public static IServiceCollection AddConnectedAccounts(this IServiceCollection services, bool renews)
    {
        services.AddSingleton<AccountSecrets>().AddSingleton<AccountVault>().AddSingleton<AccountRenewal>().AddSingleton<ConnectAccount.ConnectLimit>().AddSingleton<ConnectAccount.Connecting>();
        return renews ? services.AddHostedService(static provider => provider.GetRequiredService<AccountRenewal>()) : services;
    }

    public static IEndpointRouteBuilder MapConnectedAccounts(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/accounts").WithTags("publishing").RequireAuthorization();
        own.MapGet("", ListAccounts.HandleAsync).WithName("ListAccounts").WithSummary("The accounts on other platforms that the user has connected.").Produces<AccountList>();
        own.MapPost("", ConnectAccount.HandleAsync).WithName("ConnectAccount").WithSummary("Connects an account on another platform.")
            .Accepts<ConnectAccount.Request>("application/json").Produces<AccountAnswer>(201).Produces<AuthorizationView>(202).ProducesProblem(400).ProducesProblem(413).ProducesProblem(422).ProducesProblem(429);
        own.MapGet("/callback", AuthorizeAccount.CallbackAsync).WithName("AuthorizedAccount").WithSummary("Where a platform sends the user back to.").Produces(302).ProducesProblem(400);
        own.MapDelete("/{id}", DisconnectAccount.HandleAsync).WithName("DisconnectAccount").Produces(204).ProducesProblem(404);
        return routes;
    }
}
