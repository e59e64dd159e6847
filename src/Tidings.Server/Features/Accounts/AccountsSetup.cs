namespace Tidings.Server.Features.Accounts;

/// <summary>Registers what accounts need.</summary>
internal static class AccountsSetup
{
    public static IServiceCollection AddAccounts(this IServiceCollection services) =>
        services.AddSingleton<PasswordHashing>().AddSingleton<LoginThrottle>().AddSingleton<SignIns>();
}
