using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Tidings.Realtime.Connections;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Host;

namespace Tidings.Server.Auth;

/// <summary>Registers who is who.</summary>
internal static class AuthSetup
{
    /// <summary>The policy of endpoints for backends: <c>.RequireAuthorization(AuthSetup.Backend)</c>.</summary>
    public const string Backend = "Backend";

    /// <summary>Needs the host's options and secrets, a <c>Store</c> and a <c>TimeProvider</c>. <c>RequireAuthorization()</c> alone asks for a user.</summary>
    public static IServiceCollection AddTidingsAuthentication(this IServiceCollection services)
    {
        services.AddSingleton(provider => RulesOf(provider.GetRequiredService<TidingsOptions>()));
        services.AddSingleton(provider => new HmacKey(provider.GetRequiredService<HostSecrets>().AuthKey));
        services.AddSingleton(KeysOf);
        services.AddSingleton<JwtValidator>();
        services.AddSingleton<JwtMinter>();
        services.AddSingleton(provider => new BackendSecret(provider.GetRequiredService<HostSecrets>().AppSecret));
        services.AddSingleton<SubscriptionTokens>();
        services.AddSingleton<Sessions>();
        services.AddAccess();
        services.AddSingleton<HostUsers>();
        services.AddSingleton<Origins>();
        services.AddSingleton<BearerTokens>();
        services.AddSingleton<RequestIdentity>();
        services.AddSingleton(static provider => new Lazy<Suspensions>(provider.GetRequiredService<Suspensions>)); // it needs the engine, which needs who is asked here
        services.AddSingleton<IConnectionAuthenticator, ConnectionAuthenticator>();

        services.AddAuthentication(TidingsAuthentication.Scheme)
            .AddScheme<AuthenticationSchemeOptions, TidingsAuthentication>(TidingsAuthentication.Scheme, configureOptions: null);
        services.AddAuthorizationBuilder()
            .SetDefaultPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().RequireClaim(SignedIn.UserIdClaim).Build())
            .AddPolicy(Backend, policy => policy.RequireAuthenticatedUser().RequireClaim(SignedIn.BackendClaim));
        return services;
    }

    /// <summary>What tokens of users must say.</summary>
    public static JwtRules RulesOf(TidingsOptions options) => new()
    {
        UserIdClaims = options.Auth.UserIdClaims,
        Issuer = options.Auth.Issuer,
        Audience = options.Auth.Audience,
        ClockSkew = options.Auth.ClockSkew,
        MaxLifetime = options.Auth.MaxTokenLifetime,
    };

    private static JwtKeys KeysOf(IServiceProvider provider)
    {
        var url = provider.GetRequiredService<TidingsOptions>().Auth.JwksUrl;
        var remote = url is null
            ? null
            : new JwksKeys(url, JwksKeys.CreateHandler(), provider.GetRequiredService<TimeProvider>(), provider.GetRequiredService<ILogger<JwksKeys>>());
        return new JwtKeys(provider.GetRequiredService<HmacKey>(), remote);
    }

    /// <summary>Registers what both signing in and subscribing ask: who is there, and what was taken back. May be called by both.</summary>
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        if (services.Any(static service => service.ServiceType == typeof(Revocations))) return services;
        return services
            .AddSingleton<KnownUsers>()
            .AddSingleton<Revocations>()
            .AddHostedService(static provider => provider.GetRequiredService<Revocations>());
    }
}
