using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Tidings.Protocols;
using Tidings.Realtime.Channels;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme).AddCookie();
builder.Services.AddAuthorization();
builder.Services.AddTidings(tidings => tidings
    .Channel("room", new() { Access = AccessRule.SignedIn, History = 50, Presence = PresenceRule.Always, Typing = true })
    .Channel("staff", new() { History = 50 }, (client, channel) => client.UserId == "admin"));

var app = builder.Build();
app.UseFileServer(); // wwwroot/index.html

app.MapPost("/login", (string name) =>
{
    var user = new ClaimsIdentity([new Claim("sub", name)], "a name is enough here");
    return Results.SignIn(new ClaimsPrincipal(user));
});

app.MapPost("/rooms/{room}/messages", (string room, Message message, ClaimsPrincipal user, ITidings tidings) =>
    tidings.PublishAsync($"room:{room}", "message", new { from = user.FindFirstValue("sub"), message.Text })).RequireAuthorization();

app.MapTidings();
app.Run();

internal sealed record Message(string Text);
