using Tidings.Realtime.Connections;

namespace Tidings.Server.Features.Notifications;

/// <summary>Registers what notifications need.</summary>
internal static class NotificationsSetup
{
    public static IServiceCollection AddNotifications(this IServiceCollection services) => services.AddSingleton<IChannelGreeting, UnreadGreeting>();
}
