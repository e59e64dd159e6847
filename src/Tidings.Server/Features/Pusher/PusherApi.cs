namespace Tidings.Server.Features.Pusher;

/// <summary>The routes of Pusher's clients and server libraries.</summary>
internal static class PusherApi
{
    public static IEndpointRouteBuilder MapPusherApi(this IEndpointRouteBuilder routes)
    {
        var users = routes.MapGroup("/api/pusher").WithTags("pusher").RequireAuthorization();
        users.MapPost("/auth", AuthorizeChannel.HandleAsync).WithName("AuthorizePusherChannel")
            .WithSummary("Signs a subscription of the signed-in user to a channel, as pusher-js asks for it: a form with socket_id and channel_name.")
            .Produces<AuthorizeChannel.Answer>().ProducesProblem(400).ProducesProblem(403);
        users.MapPost("/user-auth", AuthorizeUser.HandleAsync).WithName("AuthorizePusherUser")
            .WithSummary("Signs the sign-in of the signed-in user on a connection, as pusher-js asks for it: a form with socket_id.")
            .Produces<AuthorizeUser.Answer>().ProducesProblem(400);

        // By the app's own servers, each request signed; as their libraries expect it, and so not in the API description.
        var app = routes.MapGroup("/apps/{appId}").ExcludeFromDescription();
        app.MapPost("/events", AppRequest.Handler(TriggerEvents.HandleAsync));
        app.MapPost("/batch_events", AppRequest.Handler(TriggerEvents.HandleBatchAsync));
        app.MapPost("/channels/{channel}/events", AppRequest.Handler(TriggerEvents.HandleNamedAsync)); // of old libraries: name in the query, data as the body
        app.MapGet("/channels", AppRequest.Handler(ReadChannels.ListAsync));
        app.MapGet("/channels/{channel}", AppRequest.Handler(ReadChannels.GetAsync));
        app.MapGet("/channels/{channel}/users", AppRequest.Handler(ReadChannels.UsersAsync));
        app.MapGet("/connections", AppRequest.Handler(ReadChannels.CountConnectionsAsync));
        app.MapPost("/users/{userId}/terminate_connections", AppRequest.Handler(TerminateConnections.HandleAsync));
        return routes;
    }
}
