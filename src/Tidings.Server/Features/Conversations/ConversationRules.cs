using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Conversations;

/// <summary>What conversations and messages may hold.</summary>
internal static class ConversationRules
{
    /// <summary>The most members of a group, its maker included.</summary>
    public const int MostMembers = 50;

    /// <summary>The most conversations that a user who begins another one may be in.</summary>
    public const int MostConversations = 5_000;

    /// <summary>The longest title, in Unicode scalars.</summary>
    public const int TitleChars = 100;

    /// <summary>The longest message, in Unicode scalars.</summary>
    public const int ContentChars = 5_000;

    /// <summary>The largest body of a request: each scalar may come as two escapes of six bytes.</summary>
    public const int BodyBytes = (ContentChars * 12) + 16 * 1024;

    /// <summary>What is wrong with a message, by the field's name.</summary>
    public static Dictionary<string, string[]> CheckMessage(string? content)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (string.IsNullOrWhiteSpace(content)) errors["content"] = ["A message needs a content."];
        FieldRules.Text("content", content, ContentChars, errors);
        return errors;
    }

    /// <summary>Whether a text may be the id of a user or a conversation.</summary>
    public static bool IsId(string? text) => text is not null && ChannelName.IsId(text);

    /// <summary>403: one of the two has blocked the other; which is not told.</summary>
    public static ProblemHttpResult Blocked() => Problems.Problem(403, "forbidden", "You cannot exchange messages with this user.");
}
