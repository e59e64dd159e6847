using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Comments;

/// <summary>What a request that wrote a comment answers.</summary>
internal sealed record CommentAnswer(NormalisedComment Comment, long CommentsCount);

/// <summary>A page of comments. <paramref name="NextCursor"/> is null at the end.</summary>
internal sealed record CommentPage(
    IReadOnlyList<NormalisedComment> Comments, string? NextCursor, long CommentsCount, IReadOnlyDictionary<string, string> Positions);

/// <summary>The shapes of the comments' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(CommentAnswer))]
[JsonSerializable(typeof(CommentPage))]
internal sealed partial class CommentsJson : JsonSerializerContext
{
    /// <summary>With the options of events, so that a comment is the same bytes everywhere.</summary>
    public static CommentsJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of the comments' requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateComment.Request), TypeInfoPropertyName = "CreateComment")]
[JsonSerializable(typeof(EditComment.Request), TypeInfoPropertyName = "EditComment")]
internal sealed partial class CommentsRequestJson : JsonSerializerContext
{
    public static CommentsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
