using Tidings.Server.Events;

namespace Tidings.Server.Features.Notifications;

/// <summary>Something that a user is to be told of.</summary>
/// <param name="UserId">Who is told.</param>
/// <param name="Type">One of <see cref="NotificationTypes"/>, or a backend's own.</param>
/// <param name="Title">A few words.</param>
/// <param name="Message">A sentence that quotes nothing of what was written.</param>
/// <param name="Data">A JSON object with the ids of what it is about.</param>
/// <param name="At">When it happened.</param>
internal sealed record NewNotification(string UserId, string Type, string Title, string Message, byte[] Data, DateTimeOffset At)
{
    /// <summary>Who did it: nobody is told of what they did themselves. Null if nobody did.</summary>
    public string? ActorId { get; init; }

    /// <summary>Its id; null for a new one.</summary>
    public string? Id { get; init; }
}

/// <summary>
/// Something that is told together with others of its kind: one notification for all, which comes to the top again with each.
/// </summary>
/// <param name="UserId">Who is told.</param>
/// <param name="Type">One of <see cref="NotificationTypes"/>.</param>
/// <param name="Key">What it is about, such as <c>like:</c> and the post's id.</param>
/// <param name="Latest">Who did it, the latest last.</param>
/// <param name="At">When it happened.</param>
internal sealed record NewInGroup(string UserId, string Type, string Key, IReadOnlyList<PostCreator> Latest, DateTimeOffset At)
{
    /// <summary>The post that it is about, or null.</summary>
    public string? PostId { get; init; }

    /// <summary>The conversation that it is about, or null.</summary>
    public string? ConversationId { get; init; }

    /// <summary>How many there are now; null to count what came since the user last read the notification.</summary>
    public long? Count { get; init; }

    /// <summary>Makes the title and the sentence of who they are, the latest first, and how many.</summary>
    public required Func<IReadOnlyList<PostCreator>, long, (string Title, string Message)> Say { get; init; }
}
