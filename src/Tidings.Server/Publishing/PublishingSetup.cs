using Tidings.Server.Features.Posts;
using Tidings.Server.Features.Scheduling;
using Tidings.Server.Host;

namespace Tidings.Server.Publishing;

/// <summary>Registers what publishes posts. Every node can, when it is asked; those with the role do it by themselves.</summary>
internal static class PublishingSetup
{
    public static IServiceCollection AddPublishing(this IServiceCollection services, TidingsOptions options)
    {
        services
            .AddSingleton(options.Publishing)
            .AddSingleton(NodeName.New())
            .AddSingleton<PublishingClock>().AddSingleton<PublishingMetrics>().AddSingleton<RateBuckets>()
            .AddSingleton<TargetClaims>().AddSingleton<TargetAttempts>().AddSingleton<TargetSweeps>()
            .AddSingleton<OutgoingPosts>().AddSingleton<FeedPublication>().AddSingleton<FeedTarget>().AddSingleton<ConnectorTarget>()
            .AddSingleton<PublishingRun>().AddSingleton<ZoneRules>().AddSingleton<TargetPlan>();
        return options.Roles.HasFlag(NodeRoles.Publishing) ? services.AddHostedService<PublishingWorker>() : services;
    }
}
