using Tidings.Server.Host;

namespace Tidings.Server.Features.Comments;

/// <summary>What a comment may hold.</summary>
internal static class CommentRules
{
    /// <summary>The longest comment, in Unicode scalars.</summary>
    public const int ContentChars = 2_000;

    /// <summary>The largest body of a request: each scalar may come as two escapes of six bytes.</summary>
    public const int BodyBytes = (ContentChars * 12) + 1_024;

    /// <summary>What is wrong with a content, by the field's name.</summary>
    public static Dictionary<string, string[]> Check(string? content)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        if (string.IsNullOrWhiteSpace(content)) errors["content"] = ["A comment needs a content."];
        FieldRules.Text("content", content, ContentChars, errors);
        return errors;
    }
}
