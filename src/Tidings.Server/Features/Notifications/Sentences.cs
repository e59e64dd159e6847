using Tidings.Server.Events;

namespace Tidings.Server.Features.Notifications;

/// <summary>The words of notifications. A client that speaks another language makes its own from the type and the data.</summary>
internal static class Sentences
{
    /// <summary>"ann", "ann and bob", "ann and 4 others".</summary>
    public static string Names(IReadOnlyList<PostCreator> actors, long count) => (actors, count) switch
    {
        ([var only], <= 1) => only.Nickname,
        ([var one, var other, ..], 2) => $"{one.Nickname} and {other.Nickname}",
        ([var first, ..], 2) => $"{first.Nickname} and 1 other",
        ([var first, ..], _) => $"{first.Nickname} and {count - 1} others",
        _ => "Somebody",
    };

    /// <summary>Likes of a post.</summary>
    public static (string Title, string Message) Likes(IReadOnlyList<PostCreator> actors, long count) => ("New like", $"{Names(actors, count)} liked your post");

    /// <summary>Messages of one other user.</summary>
    public static (string Title, string Message) Messages(IReadOnlyList<PostCreator> actors, long count) =>
        ("New message", count == 1 ? $"{Names(actors, 1)} sent you a message" : $"{Names(actors, actors.Count)} sent you {count} messages");
}
