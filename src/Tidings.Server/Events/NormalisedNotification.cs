using System.Text.Json;

namespace Tidings.Server.Events;

/// <summary>
/// A notification as its user sees it: the same JSON from the REST API, in an event and in a replay. Clients rely on the shape. One that
/// stands for several things (likes of a post, messages of a conversation) comes again with the same id when there are more of them.
/// </summary>
/// <param name="Id">Its id.</param>
/// <param name="Type">What it tells of, such as <c>LIKE_POST</c>.</param>
/// <param name="Title">A few words.</param>
/// <param name="Message">A sentence. It never quotes what was written: who hears of a comment may have lost the right to read it.</param>
/// <param name="Data">An object with the ids of what it is about.</param>
/// <param name="IsRead">Whether the user has read it.</param>
/// <param name="CreatedAt">When it happened; the latest of several things.</param>
internal sealed record NormalisedNotification(
    string Id, string Type, string Title, string Message, JsonElement Data, bool IsRead, DateTimeOffset CreatedAt);
