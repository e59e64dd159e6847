using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Posts;

/// <summary>What a request for one post answers. <paramref name="Liked"/> says whether the viewer likes it; absent for visitors.</summary>
internal sealed record PostAnswer(NormalisedPost Post, bool? Liked, IReadOnlyDictionary<string, string> Positions);

/// <summary>What a request that changed a post answers.</summary>
internal sealed record PostChanged(bool Success, NormalisedPost Post);

/// <summary>A page of posts. <paramref name="NextCursor"/> is null at the end; <paramref name="Liked"/> are those that the viewer likes.</summary>
internal sealed record PostPage(
    IReadOnlyList<NormalisedPost> Posts, string? NextCursor, IReadOnlyDictionary<string, string> Positions, IReadOnlyCollection<string>? Liked);

/// <summary>The shapes of the posts' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(PostAnswer))]
[JsonSerializable(typeof(PostChanged))]
[JsonSerializable(typeof(PostPage))]
internal sealed partial class PostsJson : JsonSerializerContext
{
    /// <summary>With the options of events, so that a post is the same bytes everywhere.</summary>
    public static PostsJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of the posts' requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreatePost.Request), TypeInfoPropertyName = "CreatePost")]
[JsonSerializable(typeof(EditPost.Request), TypeInfoPropertyName = "EditPost")]
internal sealed partial class PostsRequestJson : JsonSerializerContext
{
    public static PostsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
