using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Moderation;

/// <summary>The id of a report.</summary>
internal sealed record ReportAnswer(string Id);

/// <summary>The shapes of moderation's answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(ReportAnswer))]
[JsonSerializable(typeof(ReportPage))]
[JsonSerializable(typeof(AuditPage))]
internal sealed partial class ModerationJson : JsonSerializerContext
{
    public static ModerationJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of moderation's requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateReport.Request), TypeInfoPropertyName = "CreateReport")]
[JsonSerializable(typeof(Reports.Request), TypeInfoPropertyName = "ResolveReport")]
[JsonSerializable(typeof(HidePost.Request), TypeInfoPropertyName = "HidePost")]
[JsonSerializable(typeof(SuspendUser.Request), TypeInfoPropertyName = "SuspendUser")]
internal sealed partial class ModerationRequestJson : JsonSerializerContext
{
    public static ModerationRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
