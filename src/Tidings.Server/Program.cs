using Tidings.Protocols;
using Tidings.Server.Auth;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Engine;
using Tidings.Server.Features.Access;
using Tidings.Server.Features.Accounts;
using Tidings.Server.Features.Analytics;
using Tidings.Server.Features.Blocks;
using Tidings.Server.Features.Comments;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Features.Conversations;
using Tidings.Server.Features.Creators;
using Tidings.Server.Features.Follows;
using Tidings.Server.Features.Likes;
using Tidings.Server.Features.Media;
using Tidings.Server.Features.Moderation;
using Tidings.Server.Features.Notifications;
using Tidings.Server.Features.Payments;
using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Privacy;
using Tidings.Server.Features.Pusher;
using Tidings.Server.Features.Realtime;
using Tidings.Server.Features.Scheduling;
using Tidings.Server.Features.Subscriptions;
using Tidings.Server.Host;
using Tidings.Server.Operations;
using Tidings.Server.Page;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Scaleout;
using Tidings.Server.Storage;

if (await CommandLine.TryRunAsync(args, static () => CreateBuilder([]).Configuration, Console.Out, Console.Error) is { } exitCode) return exitCode;

var builder = CreateBuilder(args);
if (!builder.TryAddHost(Console.Error, out var options)) return 1;

builder.Services
    .AddStorage(options.DataDirectory, options.Database)
    .AddTidingsAuthentication()
    .AddPostAccess()
    .AddChannelAccess()
    .AddChannelWebhook(options.Auth.ChannelWebhook)
    .AddScaleout(options)
    .AddEngine(options)
    .AddAccessRun()
    .AddPusher(options)
    .AddAccounts()
    .AddPosts(new PostLimits(options.Limits.PostChars))
    .AddLikes()
    .AddNotifications()
    .AddCreators()
    .AddSubscriptions()
    .AddMedia(options)
    .AddModeration()
    .AddAnalytics()
    .AddPrivacy()
    .AddConnectors(options)
    .AddPublishing(options)
    .AddConnectedAccounts(renews: options.Roles.HasFlag(NodeRoles.Publishing))
    .AddOperations()
    .AddOpenApi();

await using var app = builder.Build();
app.UseHost();
if (options.Roles.HasFlag(NodeRoles.Realtime)) app.MapTidings();
if (options.Roles.HasFlag(NodeRoles.Api))
{
    app.UsePage();
    app.MapAccounts();
    app.MapPosts();
    app.MapScheduling();
    app.MapComments();
    app.MapLikes();
    app.MapFollows();
    app.MapBlocks();
    app.MapCreators();
    app.MapSubscriptions();
    app.MapPayments();
    app.MapMedia();
    app.MapModeration();
    app.MapAnalytics();
    app.MapPrivacy();
    app.MapConnectedAccounts();
    app.MapNotifications();
    app.MapConversations();
    app.MapRealtimeApi();
    app.MapPusherApi();
}

app.MapOperations();
app.MapOpenApi();
return await app.RunHostAsync(Console.Out, Console.Error);

// Files are found beside the binary, whatever folder the server is started from; './data' is in that folder.
static WebApplicationBuilder CreateBuilder(string[] args) =>
    WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
