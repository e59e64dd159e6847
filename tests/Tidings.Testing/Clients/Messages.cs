using System.Text.Json;

namespace Tidings.Testing.Clients;

/// <summary>Questions to a received message.</summary>
public static class Messages
{
    /// <summary>A field's text; null if it is not there or not a text.</summary>
    public static string? Text(this JsonElement message, string field) =>
        message.ValueKind == JsonValueKind.Object && message.TryGetProperty(field, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>Whether it is of a type.</summary>
    public static bool IsOfType(this JsonElement message, string type) => message.Text("type") == type;

    /// <summary>Whether it is an event, which has an id of its own in text; answers have the client's number.</summary>
    public static bool IsEvent(this JsonElement message) => message.Text("id") is not null && message.Text("timestamp") is not null;

    /// <summary>The id of the post that an event carries.</summary>
    public static string? PostId(this JsonElement message) =>
        message.TryGetProperty("post", out var post) ? post.Text("id") : message.Text("postId");

    /// <summary>The text of the post that an event or an answer carries.</summary>
    public static string? PostText(this JsonElement message) =>
        message.TryGetProperty("post", out var post) && post.TryGetProperty("content", out var content) ? content.Text("text")
        : message.TryGetProperty("content", out var own) ? own.Text("text") : null;

    /// <summary>The key that the text of a <see cref="KeyedWriter"/>'s post begins with.</summary>
    public static string? PostKey(this JsonElement message) => message.PostText()?.Split(' ')[0];
}
