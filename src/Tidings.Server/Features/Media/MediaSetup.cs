using Tidings.Server.Host;

namespace Tidings.Server.Features.Media;

/// <summary>Registers what media need.</summary>
internal static class MediaSetup
{
    public static IServiceCollection AddMedia(this IServiceCollection services, TidingsOptions options) =>
        services
            .AddSingleton(new MediaFiles(options.MediaDirectory))
            .AddSingleton<UploadSlots>()
            .AddSingleton<MediaCleanup>()
            .AddHostedService(provider => provider.GetRequiredService<MediaCleanup>());
}
