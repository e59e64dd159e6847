using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Features.Tiers;

namespace Tidings.Server.Features.Creators;

/// <summary>A creator as a viewer sees one. For a visitor <c>isFollowing</c> is false.</summary>
internal sealed record CreatorView(
    string Id, string Nickname, string FullName, string? Avatar, bool IsCreator, long PostsCount, long FollowersCount, long SubscribersCount, bool IsFollowing);

/// <summary>One creator, with what can be subscribed to.</summary>
internal sealed record CreatorAnswer(CreatorView Creator, IReadOnlyList<TierView> Tiers);

/// <summary>Some creators.</summary>
internal sealed record CreatorsAnswer(IReadOnlyList<CreatorView> Creators);

/// <summary>A row of <c>users</c>, and whether the viewer follows it.</summary>
internal sealed record CreatorRow
{
    /// <summary>The columns as the properties are named, of <c>users u</c>; takes <c>@Me</c>, empty for a visitor.</summary>
    public const string Columns = """
        u.id AS Id, u.nickname AS Nickname, u.full_name AS FullName, u.avatar AS Avatar, u.is_creator AS IsCreator,
        u.posts_count AS PostsCount, u.followers_count AS FollowersCount, u.subscribers_count AS SubscribersCount,
        (SELECT COUNT(*) FROM follows f WHERE f.follower_id = @Me AND f.creator_id = u.id) AS IsFollowing
        """;

    /// <summary>Whether neither of the two has blocked the other; of <c>users u</c>, takes <c>@Me</c>.</summary>
    public const string NotBlocked = """
        NOT EXISTS (SELECT 1 FROM blocks b WHERE (b.blocker_id = u.id AND b.blocked_id = @Me) OR (b.blocker_id = @Me AND b.blocked_id = u.id))
        """;

    public string Id { get; init; } = "";
    public string Nickname { get; init; } = "";
    public string? FullName { get; init; }
    public string? Avatar { get; init; }
    public long IsCreator { get; init; }
    public long PostsCount { get; init; }
    public long FollowersCount { get; init; }
    public long SubscribersCount { get; init; }
    public long IsFollowing { get; init; }

    public CreatorView View() => new(Id, Nickname, FullName ?? "", Avatar, IsCreator != 0, PostsCount, FollowersCount, SubscribersCount, IsFollowing != 0);
}

/// <summary>The shapes of the creators' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreatorAnswer))]
[JsonSerializable(typeof(CreatorsAnswer))]
internal sealed partial class CreatorsJson : JsonSerializerContext
{
    public static CreatorsJson Answers => field ??= new(EventJson.Options(Default.Options));
}
