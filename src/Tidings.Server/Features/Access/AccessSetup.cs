namespace Tidings.Server.Features.Access;

/// <summary>Registers who may see what.</summary>
internal static class AccessSetup
{
    public static IServiceCollection AddPostAccess(this IServiceCollection services) => services.AddSingleton<PostAccess>();
}
