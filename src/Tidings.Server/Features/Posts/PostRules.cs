namespace Tidings.Server.Features.Posts;

/// <summary>What the fields of a post may hold. Each rule adds to <c>errors</c> what is wrong with a field, by the field's name.</summary>
internal static class PostRules
{
    public static readonly string[] MediaTypes = ["text", "image", "video", "audio"];

    /// <summary>One of the four types.</summary>
    public static void MediaType(string field, string? type, Dictionary<string, string[]> errors)
    {
        if (type is not null && !MediaTypes.Contains(type, StringComparer.Ordinal)) errors[field] = ["This must be text, image, video or audio."];
    }

    /// <summary>What a post must have as a whole: something to read or to see, and a picture if it is one.</summary>
    public static void Whole(string content, string mediaType, string? mediaUrl, Dictionary<string, string[]> errors)
    {
        if (mediaUrl is null && mediaType != "text") errors.TryAdd("mediaUrl", [$"A post of type {mediaType} needs the address of its media."]);
        else if (mediaUrl is null && string.IsNullOrWhiteSpace(content)) errors.TryAdd("content", ["A post needs a content or media."]);
    }
}
