using System.Text.Json.Serialization;
using Tidings.Server.Events;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Conversations;

/// <summary>A conversation as one of its members sees it.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Kind"><c>direct</c>, of which there is one for two users, or <c>group</c>.</param>
/// <param name="Title">A group's title; empty for none.</param>
/// <param name="Members">Everybody in it, the viewer too.</param>
/// <param name="LastMessage">The latest message, or null.</param>
/// <param name="UnreadCount">How many the viewer has not read.</param>
/// <param name="CreatedAt">When it began.</param>
internal sealed record ConversationView(
    string Id,
    string Kind,
    string Title,
    IReadOnlyList<MemberView> Members,
    NormalisedMessage? LastMessage,
    long UnreadCount,
    DateTimeOffset CreatedAt);

/// <summary>A member, and the number of the last message that the member has read.</summary>
internal sealed record MemberView(string Id, string Nickname, string FullName, string? Avatar, bool IsCreator, long ReadThrough);

/// <summary>One conversation.</summary>
internal sealed record ConversationAnswer(ConversationView Conversation);

/// <summary>A page of conversations, the last active first.</summary>
internal sealed record ConversationPage(IReadOnlyList<ConversationView> Conversations, string? NextCursor);

/// <summary>One message.</summary>
internal sealed record MessageAnswer(NormalisedMessage Message);

/// <summary>A page of messages, the newest first, and where the channel stood before.</summary>
internal sealed record MessagePage(IReadOnlyList<NormalisedMessage> Messages, string? NextCursor, IReadOnlyDictionary<string, string> Positions);

/// <summary>How many messages of a conversation the user has not read.</summary>
internal sealed record ReadAnswer(long UnreadCount);

/// <summary>The shapes of the conversations' answers.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, Converters = [typeof(InstantJson)])]
[JsonSerializable(typeof(ConversationAnswer))]
[JsonSerializable(typeof(ConversationPage))]
[JsonSerializable(typeof(MessageAnswer))]
[JsonSerializable(typeof(MessagePage))]
[JsonSerializable(typeof(ReadAnswer))]
[JsonSerializable(typeof(string))]
internal sealed partial class ConversationsJson : JsonSerializerContext
{
    /// <summary>With the options of events, so that a message is the same bytes everywhere.</summary>
    public static ConversationsJson Answers => field ??= new(EventJson.Options(Default.Options));
}

/// <summary>The shapes of the conversations' requests.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(CreateConversation.Request), TypeInfoPropertyName = "CreateConversation")]
[JsonSerializable(typeof(SendMessage.Request), TypeInfoPropertyName = "SendMessage")]
[JsonSerializable(typeof(SendMessage.ToUser), TypeInfoPropertyName = "SendMessageToUser")]
[JsonSerializable(typeof(ReadConversation.Request), TypeInfoPropertyName = "ReadConversation")]
internal sealed partial class ConversationsRequestJson : JsonSerializerContext
{
    public static ConversationsRequestJson Strict => field ??= new(RequestJson.Strict(Default.Options));
}
