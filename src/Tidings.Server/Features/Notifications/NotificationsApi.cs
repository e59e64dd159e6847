namespace Tidings.Server.Features.Notifications;

/// <summary>The routes of notifications: the user's own, and the backend's.</summary>
internal static class NotificationsApi
{
    public static IEndpointRouteBuilder MapNotifications(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/user/notifications").WithTags("notifications").RequireAuthorization();
        own.MapGet("", ListNotifications.HandleAsync).WithName("ListNotifications").Produces<NotificationPage>().ProducesProblem(400);
        own.MapPost("/{id}/read", ReadNotifications.ReadOneAsync).WithName("ReadNotification").Produces<UnreadAnswer>().ProducesProblem(404);
        own.MapPost("/read-all", ReadNotifications.ReadAllAsync).WithName("ReadAllNotifications").Produces<UnreadAnswer>();
        own.MapDelete("", ReadNotifications.ClearAsync).WithName("ClearNotifications").Produces(204);
        own.MapGet("/preferences", Preferences.GetAsync).WithName("GetNotificationPreferences").Produces<PreferencesAnswer>();
        own.MapPut("/preferences", Preferences.PutAsync).WithName("PutNotificationPreferences")
            .Accepts<Preferences.Request>("application/json").Produces<PreferencesAnswer>().ProducesProblem(400).ProducesProblem(413);

        routes.MapPost("/api/realtime/users/{id}/notifications", NotifyFromBackend.HandleAsync).WithTags("backends").RequireAuthorization("Backend")
            .WithName("NotifyFromBackend").WithSummary("Notifies a user.").Accepts<NotifyFromBackend.Request>("application/json")
            .Produces<NotificationAnswer>(201).ProducesProblem(400).ProducesProblem(404).ProducesProblem(413).ProducesProblem(422);
        return routes;
    }
}
