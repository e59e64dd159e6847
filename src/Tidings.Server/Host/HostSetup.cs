using System.Diagnostics.CodeAnalysis;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Tidings.Server.Auth;
using Tidings.Server.Host.Keys;

namespace Tidings.Server.Host;

/// <summary>What every feature stands on: settings, secrets, JSON, errors, headers, limits, and the order of the middlewares.</summary>
internal static class HostSetup
{
    private const string AllowedOriginsPolicy = "AllowedOrigins";

    private static readonly TimeSpan HeadersTimeout = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan ShutdownTime = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Reads the settings, makes the secrets that are missing and registers both. If the server cannot start like this, it writes a sentence
    /// per problem and returns false; the process then ends with code 1.
    /// </summary>
    public static bool TryAddHost(this WebApplicationBuilder builder, TextWriter errors, [NotNullWhen(true)] out TidingsOptions? options)
    {
        options = null;
        try
        {
            foreach (var warning in KnownSettings.WarningsFor(builder.Configuration)) Warn(warning);
            if (FileHandles.WarningFor(FileHandles.Limit()) is { } few) Warn(few);
            if (ListenBacklog.Warning() is { } shallow) Warn(shallow);
            options = OptionsReader.Read(builder.Configuration);
            foreach (var open in options.Redis.Where(static redis => redis.IsOpenToOthers))
                Warn($"Redis {open} is used without a password: whoever reaches it can read what is published and who is present.");
            SecretsFile.PrepareDirectory(options.DataDirectory);
            var secrets = HostSecrets.Resolve(options, Warn);
            builder.AddHost(options, secrets);
            return true;
        }
        catch (StartRefusedException exception)
        {
            foreach (var problem in exception.Problems) errors.WriteLine($"tidings: {problem}");
            return false;
        }

        void Warn(string warning) => errors.WriteLine($"tidings: warning: {warning}");
    }

    private static void AddHost(this WebApplicationBuilder builder, TidingsOptions options, HostSecrets secrets)
    {
        var services = builder.Services;
        services.AddSingleton(options).AddSingleton(secrets);
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<FeatureSwitches>().AddSingleton<RateLimits>().AddSingleton<ErrorAnswers>();

        services.AddKeyRing(options);
        services.ConfigureHttpJsonOptions(json => JsonBodies.Configure(json.SerializerOptions));
        services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        services.Configure<ForwardedHeadersOptions>(forwarded =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost;
            forwarded.ForwardLimit = null;   // back to the first address that is no trusted proxy
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();
            foreach (var network in options.TrustedProxies) forwarded.KnownIPNetworks.Add(network);
        });
        services.AddCors(cors => cors.AddPolicy(
            AllowedOriginsPolicy,
            policy => policy.WithOrigins([.. options.AllowedOrigins]).AllowCredentials().AllowAnyHeader().AllowAnyMethod()
                .WithExposedHeaders("Retry-After", "Location").SetPreflightMaxAge(TimeSpan.FromMinutes(10))));

        services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTime);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = JsonBodies.MaxBytes;
            kestrel.Limits.RequestHeadersTimeout = HeadersTimeout;
        });

        // Both write whole URLs, which may carry a token.
        builder.Logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.Warning);
        builder.Logging.AddFilter("Microsoft.AspNetCore.Server.Kestrel.BadRequests", LogLevel.Warning);
    }

    /// <summary>The middlewares, outermost first. Endpoints are mapped after it.</summary>
    public static WebApplication UseHost(this WebApplication app)
    {
        var options = app.Services.GetRequiredService<TidingsOptions>();
        var limits = app.Services.GetRequiredService<RateLimits>();
        var errors = app.Services.GetRequiredService<ErrorAnswers>();

        app.Use(SecurityHeaders.RunAsync);
        if (options.TrustedProxies.Count > 0) app.UseForwardedHeaders();   // to this middleware an empty list means everybody
        app.Use(errors.RunAsync);
        if (options.AllowedOrigins.Count > 0)
            app.UseWhen(context => context.Request.Path.StartsWithSegments("/api"), api => api.UseCors(AllowedOriginsPolicy));
        app.Use(limits.LimitAddressAsync);
        app.UseAuthentication();
        app.Use(CredentialsCheck.RunAsync);
        app.Use(SuspensionCheck.RunAsync);
        app.Use(limits.LimitUserAsync);
        app.UseAuthorization();
        return app;
    }
}
