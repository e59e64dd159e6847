using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Shouldly;
using Tidings.Realtime.Connections;
using Tidings.Server.Tests.Accounts;
using Tidings.Server.Tests.Auth;
using Xunit;

namespace Tidings.Server.Tests.Host;

/// <summary>Walks through everything that can go wrong with marked secrets and looks for the marks in all that was logged.</summary>
public sealed class CanaryTests
{
    [Fact]
    public async Task No_token_password_cookie_or_secret_ever_reaches_a_log()
    {
        await using var app = await AccountsApp.StartAsync(web => web.MapPost("/api/fault", string (Dictionary<string, string> body) => throw new InvalidOperationException()));
        var canaries = new List<string> { AccountsApp.AppSecret, TokenForge.Secret };
        var ada = await app.RegisterAsync(password: Mark("password-right"));
        canaries.AddRange([ada.Token, ada.Cookie[(ada.Cookie.IndexOf('=') + 1)..]]);

        // Bodies: wrong, taken, malformed, of the wrong type, too deep, too large.
        foreach (var body in (string[])[
            $$"""{"nickname":"ada","email":"x@example.com","password":"{{Mark("taken")}}"}""",
            $$"""{"nickname":"a","email":"{{Mark("email")}}","password":"{{Mark("bad-fields")}}"}""",
            $$"""{"nickname":"good","password":["{{Mark("wrong-type")}}"]}""",
            $$"""{"nickname":"good","password":"{{Mark("cut-off")}}""",
            $"password={Mark("form")}",
            $$"""{"password":"{{Mark("huge")}}{{new string('x', 1024 * 1024)}}"}"""])
        {
            foreach (var path in (string[])["/api/auth/register", "/api/auth/login", "/api/fault"])
                await PostAsync(app, path, body);
        }

        for (var i = 0; i < 12; i++) await app.Client().PostAsJsonAsync("/api/auth/login", new { login = "ada", password = Mark("guess") });

        // Tokens: of every kind of wrong, in the header, the query and the cookie.
        foreach (var token in (string[])[
            Mark("bearer"), $"{Mark("a")}.{Mark("b")}.{Mark("c")}", app.HostToken($"\"sub\":\"{Mark("subject")} \""), app.HostToken(seconds: -60), app.HostToken() + "x",
            TokenForge.Token(app.Clock, header: $$"""{"alg":"RS256","kid":"{{Mark("kid")}}"}"""), new string('x', 9_000) + Mark("long"), ada.Token, AccountsApp.AppSecret])
        {
            canaries.Add(token);
            await app.Client(token).GetAsync("/api/auth/me");
            await app.Client(token).PostAsync("/api/auth/token", null);
            await app.Client().GetAsync($"/api/auth/me?access_token={token}&token={token}&ticket={token}");
            await app.Client().GetAsync($"/nowhere?sid={token}");
            await app.Browser($"tidings_session={token}").PostAsync("/api/auth/token", null);
            await app.Get<IConnectionAuthenticator>().AuthenticateAsync(token, CancellationToken.None);
        }

        await app.Browser(ada.Cookie, withOrigin: false).PostAsync("/api/auth/token", null);
        await app.Browser(ada.Cookie).PostAsync("/api/auth/logout", null);
        await SendRawAsync(app.Url, $"GET /api/auth/me?token={Mark("request-line")} HTTP/9.9 x\r\n\r\n");
        await SendRawAsync(app.Url, $"GET /api/auth/me%00?token={Mark("request-line")} HTTP/1.1\r\nHost: x\r\n\r\n");
        await SendRawAsync(app.Url, $"GET / HTTP/1.1\r\nHost: x\r\nAuthorization Bearer {Mark("header-line")}\r\n\r\n");

        app.Logs.Lines.Count.ShouldBeGreaterThan(500);
        foreach (var canary in canaries.Append("canary-"))
            app.Logs.Lines.FirstOrDefault(line => line.Contains(canary, StringComparison.OrdinalIgnoreCase)).ShouldBeNull();
    }

    private static string Mark(string what) => $"canary-{what}-7f3a9c";

    /// <summary>Posts a body. Of one that is too large the server may hang up before all of it was sent.</summary>
    private static async Task PostAsync(AccountsApp app, string path, string body)
    {
        try
        {
            using var answer = await app.Client().PostAsync(path, new StringContent(body, Encoding.UTF8, "application/json"));
        }
        catch (HttpRequestException) when (body.Length > 1024 * 1024)
        {
            // It is the logs that count.
        }
    }

    private static async Task SendRawAsync(string url, string request)
    {
        using var client = new TcpClient();
        var uri = new Uri(url);
        await client.ConnectAsync(uri.Host, uri.Port);
        using var reader = new StreamReader(client.GetStream());
        await reader.BaseStream.WriteAsync(Encoding.Latin1.GetBytes(request));
        (await reader.ReadToEndAsync()).ShouldStartWith("HTTP/1.1 400");
    }
}
