namespace Tidings.Server.Features.Realtime;

/// <summary>The routes of backends: whoever holds the app secret, by the policy <c>Backend</c>.</summary>
internal static class RealtimeApi
{
    public static IEndpointRouteBuilder MapRealtimeApi(this IEndpointRouteBuilder routes)
    {
        var backends = routes.MapGroup("/api/realtime").WithTags("backends").RequireAuthorization("Backend");
        backends.MapPost("/publish", PublishFromBackend.HandleAsync).WithName("PublishFromBackend")
            .Accepts<PublishFromBackend.Request>("application/json").Produces<PublishFromBackend.Answer>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413);
        backends.MapPost("/publish/batch", PublishBatch.HandleAsync).WithName("PublishBatch")
            .WithSummary("Publishes up to 100 events in their order, or none if one of them is wrong.")
            .Accepts<PublishBatch.Request>("application/json").Produces<PublishBatch.Answer>()
            .ProducesProblem(400).ProducesProblem(413);
        backends.MapPost("/users/{id}/publish", PublishToUser.HandleAsync).WithName("PublishToUser")
            .WithSummary("Publishes to a user's own channel.")
            .Accepts<PublishToUser.Request>("application/json").Produces<PublishFromBackend.Answer>()
            .ProducesProblem(400).ProducesProblem(413);
        backends.MapPost("/users/{id}/disconnect", DisconnectUser.HandleAsync).WithName("DisconnectUser")
            .WithSummary("Closes a user's live connections, and with revokeTokens keeps the tokens of before out. The body may be left out.")
            .Accepts<DisconnectUser.Request>("application/json").Produces<DisconnectUser.Answer>()
            .ProducesProblem(400).ProducesProblem(413);
        backends.MapPost("/subscriptions/revoke", RevokeSubscription.HandleAsync).WithName("RevokeSubscription")
            .WithSummary("Takes a channel from a user, or from everybody if no user is named.")
            .Accepts<RevokeSubscription.Request>("application/json").Produces<RevokeSubscription.Answer>()
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(413);
        backends.MapGet("/channels", ListChannels.HandleAsync).WithName("ListChannels")
            .WithSummary("The channels that are read.").Produces<ChannelPage>().ProducesProblem(400).ProducesProblem(404);
        backends.MapGet("/channels/{name}", GetChannel.HandleAsync).WithName("GetChannel")
            .WithSummary("Where a channel stands and how many read it.").Produces<ChannelDetails>().ProducesProblem(400).ProducesProblem(404);
        backends.MapGet("/channels/{name}/history", GetChannel.HistoryAsync).WithName("GetChannelHistory")
            .WithSummary("A page of a channel's history: after a position, or the newest.").Produces(200, contentType: "application/json")
            .ProducesProblem(400).ProducesProblem(404);
        backends.MapGet("/connections", ListConnections.Handle).WithName("ListConnections")
            .WithSummary("The live connections of this node, of one user or all.").Produces<ConnectionPage>().ProducesProblem(400);
        backends.MapGet("/channels/{name}/presence", ReadPresence.HandleAsync).WithName("ReadPresence")
            .WithSummary("Who is in a channel: up to 200 members, and how many there are.")
            .Produces<ReadPresence.Answer>().ProducesProblem(400).ProducesProblem(404);
        return routes;
    }
}
