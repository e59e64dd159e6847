namespace Tidings.Server.Features.Notifications;

/// <summary>What notifications tell of. Clients switch on these; a backend may use names of its own beside them.</summary>
internal static class NotificationTypes
{
    public const string NewPost = "NEW_POST_FROM_SUBSCRIPTION";
    public const string LikePost = "LIKE_POST";
    public const string CommentPost = "COMMENT_POST";
    public const string ReplyComment = "REPLY_COMMENT";
    public const string NewSubscriber = "NEW_SUBSCRIBER";
    public const string TipReceived = "TIP_RECEIVED";
    public const string NewMessage = "NEW_MESSAGE";
    public const string PostPublished = "POST_PUBLISHED";
    public const string PostFailed = "POST_FAILED";
    public const string AccountDisconnected = "ACCOUNT_DISCONNECTED";
    public const string System = "SYSTEM";

    /// <summary>The longest name.</summary>
    public const int MaxLength = 64;

    /// <summary>The product's own, each of which a user may switch off.</summary>
    public static readonly IReadOnlyList<string> Ours =
    [
        NewPost, LikePost, CommentPost, ReplyComment, NewSubscriber, TipReceived, NewMessage, PostPublished, PostFailed, AccountDisconnected, System,
    ];

    /// <summary>Whether a text may be the name of a type: capital letters, digits and <c>_</c>, a letter first.</summary>
    public static bool IsType(string? text) =>
        text is { Length: > 0 and <= MaxLength } && char.IsAsciiLetterUpper(text[0])
        && text.All(character => char.IsAsciiLetterUpper(character) || char.IsAsciiDigit(character) || character == '_');
}
