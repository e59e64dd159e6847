using System.Net;
using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json;
using Microsoft.AspNetCore.Authentication.BearerToken;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tidings.Protocols;
using Tidings.Realtime.Channels;
using Tidings.Testing.Clients;

namespace Tidings.Library.Tests.Support;

/// <summary>Somebody's ASP.NET Core app with Tidings in it, on a free loopback port. It signs users in with the framework's own bearer tokens.</summary>
internal sealed class HostApp : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly HttpClient _http;

    private HostApp(WebApplication app)
    {
        _app = app;
        Address = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = Address };
    }

    public Uri Address { get; }

    public HttpClient Http => _http;

    public ITidings Tidings => _app.Services.GetRequiredService<ITidings>();

    /// <summary>Builds and starts one.</summary>
    /// <param name="tidings">Its channels; null for rooms of signed-in users.</param>
    /// <param name="services">What else it registers.</param>
    /// <param name="map">What it does instead of a plain <c>MapTidings</c>.</param>
    /// <param name="listen">What it does to its endpoint.</param>
    public static async Task<HostApp> StartAsync(
        Action<TidingsBuilder>? tidings = null, Action<IServiceCollection>? services = null, Action<WebApplication>? map = null,
        Action<ListenOptions>? listen = null)
    {
        var builder = WebApplication.CreateSlimBuilder(new WebApplicationOptions { EnvironmentName = "Production" });
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, endpoint => listen?.Invoke(endpoint)));
        builder.Services.AddAuthentication(BearerTokenDefaults.AuthenticationScheme).AddBearerToken(options => options.BearerTokenExpiration = TimeSpan.FromHours(2));
        builder.Services.AddAuthorization();
        builder.Services.AddTidings(tidings ?? (static tidings => tidings.Channel("room", new() { Access = AccessRule.SignedIn })));
        services?.Invoke(builder.Services);

        var app = builder.Build();
        app.MapPost("/login", (string name, string? role) => Results.SignIn(new ClaimsPrincipal(new ClaimsIdentity(
            [new Claim("sub", name), new Claim(ClaimTypes.Role, role ?? "guest")], "test"))));
        if (map is null) app.MapTidings();
        else map(app);
        try
        {
            await app.StartAsync();
            return new HostApp(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    /// <summary>Signs somebody in.</summary>
    /// <returns>The token.</returns>
    public async Task<string> SignInAsync(string name, string? role = null)
    {
        using var answer = await _http.PostAsync(new Uri($"/login?name={name}&role={role}", UriKind.Relative), null);
        return (await answer.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>()).GetProperty("accessToken").GetString()!;
    }

    /// <summary>Signs somebody in and connects.</summary>
    public async Task<NativeClient> ConnectAsync(string name, string? role = null) => await NativeClient.ConnectAsync(Address, await SignInAsync(name, role));

    public Task StopAsync() => _app.StopAsync();

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        await _app.DisposeAsync();
    }
}
