using System.Text.Json.Serialization;
using Tidings.Server.Auth;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Privacy;

/// <summary>The routes by which users take what is theirs, and leave. Suspended users may, too.</summary>
internal static class PrivacyApi
{
    public static IServiceCollection AddPrivacy(this IServiceCollection services) =>
        services
            .AddSingleton<AccountRemoval>()
            .AddHostedService(provider => provider.GetRequiredService<AccountRemoval>());

    public static IEndpointRouteBuilder MapPrivacy(this IEndpointRouteBuilder routes)
    {
        var own = routes.MapGroup("/api/user").WithTags("accounts").RequireAuthorization().AllowSuspended();
        own.MapGet("/export", ExportUser.HandleAsync).WithName("ExportUser").WithSummary("Everything that is kept of the user.").Produces(200, contentType: "application/json");
        own.MapDelete("", DeleteUser.HandleAsync).WithName("DeleteUser").Accepts<DeleteUser.Request>("application/json")
            .Produces(204).ProducesProblem(400).ProducesProblem(403);
        return routes;
    }
}

/// <summary>The shapes of privacy's requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(DeleteUser.Request), TypeInfoPropertyName = "DeleteUser")]
internal sealed partial class PrivacyRequestJson : JsonSerializerContext
{
    public static PrivacyRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
