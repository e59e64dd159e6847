namespace Tidings.Server.Features.Conversations;

/// <summary>The routes of conversations. They need nothing registered but the store and the log.</summary>
internal static class ConversationsApi
{
    public static IEndpointRouteBuilder MapConversations(this IEndpointRouteBuilder routes)
    {
        var conversations = routes.MapGroup("/api/conversations").WithTags("messages").RequireAuthorization();
        conversations.MapGet("", ListConversations.HandleAsync).WithName("ListConversations").Produces<ConversationPage>().ProducesProblem(400);
        conversations.MapPost("", CreateConversation.HandleAsync).WithName("CreateConversation")
            .WithSummary("Begins a group, or finds or begins the direct conversation with one other user.")
            .Accepts<CreateConversation.Request>("application/json").Produces<ConversationAnswer>().Produces<ConversationAnswer>(201)
            .ProducesProblem(400).ProducesProblem(403).ProducesProblem(413).ProducesProblem(422);
        conversations.MapGet("/{id}/messages", ListMessages.HandleAsync).WithName("ListMessages")
            .Produces<MessagePage>().ProducesProblem(400).ProducesProblem(404);
        conversations.MapPost("/{id}/messages", SendMessage.HandleAsync).WithName("SendMessage").Accepts<SendMessage.Request>("application/json")
            .Produces<MessageAnswer>(201).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(413).ProducesProblem(422);
        conversations.MapPost("/{id}/read", ReadConversation.HandleAsync).WithName("ReadConversation")
            .WithSummary("Marks a conversation as read, up to a message or all of it. The body may be left out.")
            .Accepts<ReadConversation.Request>("application/json").Produces<ReadAnswer>().ProducesProblem(400).ProducesProblem(404);

        routes.MapPost("/api/messages", SendMessage.ToUserAsync).WithName("SendMessageToUser").WithTags("messages").RequireAuthorization()
            .Accepts<SendMessage.ToUser>("application/json")
            .Produces<MessageAnswer>(201).ProducesProblem(400).ProducesProblem(403).ProducesProblem(404).ProducesProblem(413).ProducesProblem(422);
        return routes;
    }
}
