// ASP.NET Core SignalR as it comes: JSON protocol, one group, a broadcast through IHubContext. ASPNETCORE_URLS says where.
using System.Text.Json;
using Microsoft.AspNetCore.SignalR;
using Tidings.Bench.Peers.SignalR;

var builder = WebApplication.CreateBuilder(args);
// The generator answers the server's pings and sends none of its own, so only the time for those is longer than the default.
builder.Services.AddSignalR(options => options.ClientTimeoutInterval = TimeSpan.FromMinutes(10));
builder.WebHost.ConfigureKestrel(kestrel => kestrel.AddServerHeader = false);

var app = builder.Build();
app.MapHub<EventHub>("/hub");
app.MapGet("/health", () => Results.Ok());
app.MapPost("/publish", (JsonElement data, IHubContext<EventHub> hub) => hub.Clients.Group(EventHub.Group).SendAsync("tick", data));
app.Run();

namespace Tidings.Bench.Peers.SignalR
{
    /// <summary>One group; <c>Subscribe</c> joins it.</summary>
    internal sealed class EventHub : Hub
    {
        internal const string Group = "bench";

        public Task Subscribe() => Groups.AddToGroupAsync(Context.ConnectionId, Group);
    }
}
