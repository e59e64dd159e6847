using System.Text.Json.Serialization;
using Tidings.Server.Events;

namespace Tidings.Server.Features.Creators;

/// <summary>A creator as a viewer sees one. For a visitor <c>isFollowing</c> is false.</summary>
internal sealed record CreatorView(
    string Id, string Nickname, string FullName, string? Avatar, bool IsCreator, long PostsCount, long FollowersCount, bool IsFollowing);

/// <summary>One creator.</summary>
internal sealed record CreatorAnswer(CreatorView Creator);

/// <summary>Some creators.</summary>
internal sealed record CreatorsAnswer(IReadOnlyList<CreatorView> Creators);

/// <summary>A row of <c>users</c>, and whether the viewer follows it.</summary>
internal sealed record CreatorRow
{
    /// <summary>The columns as the properties are named, of <c>users u</c>; takes <c>@Me</c>, empty for a visitor.</summary>
    public const string Columns = """
        u.id AS Id, u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator,
        u.posts_count AS PostsCount, u.followers_count AS FollowersCount,
        (SELECT COUNT(*) FROM follows f WHERE f.follower_id = @Me AND f.creator_id = u.id) AS IsFollowing
        """;

    public string Id { get; init; } = "";
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }
    public long PostsCount { get; init; }
    public long FollowersCount { get; init; }
    public long IsFollowing { get; init; }

    public CreatorView View() => new(Id, Nickname, FullName ?? "", Avatar, IsCreator != 0, PostsCount, FollowersCount, IsFollowing != 0);
}

/// <summary>The shapes of the creators' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreatorAnswer))]
[JsonSerializable(typeof(CreatorsAnswer))]
internal sealed partial class CreatorsJson : JsonSerializerContext
{
    public static CreatorsJson Answers => field ??= new(EventJson.Options(Default.Options));
}
