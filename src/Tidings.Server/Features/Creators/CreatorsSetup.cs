namespace Tidings.Server.Features.Creators;

/// <summary>Registers what creators need.</summary>
internal static class CreatorsSetup
{
    public static IServiceCollection AddCreators(this IServiceCollection services) => services.AddSingleton<MemberChanges>();
}
