namespace Tidings.Server.Events;

/// <summary>A message of a conversation as its members see it: the same JSON from the REST API, in an event and in a replay.</summary>
/// <param name="Id">Its id.</param>
/// <param name="ConversationId">The conversation.</param>
/// <param name="Author">Who wrote it.</param>
/// <param name="Content">What it says.</param>
/// <param name="Number">Its place in the conversation: 1, 2, 3 without holes.</param>
/// <param name="CreatedAt">When it was written.</param>
internal sealed record NormalisedMessage(string Id, string ConversationId, PostCreator Author, string Content, long Number, DateTimeOffset CreatedAt);
