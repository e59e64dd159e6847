using System.Text.Json.Serialization.Metadata;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Moderation;

/// <summary>What moderators may say of what they do.</summary>
internal static class ModerationRules
{
    /// <summary>The longest note, in Unicode scalars.</summary>
    public const int NoteChars = 1_000;

    /// <summary>The largest body of a request: each scalar may come as two escapes of six bytes.</summary>
    public const int BodyBytes = 16 * 1024;

    /// <summary>What is wrong with a note; null if nothing is.</summary>
    public static IResult? ProblemOf(string? note)
    {
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        FieldRules.Text("note", note, NoteChars, errors);
        return errors.Count > 0 ? Problems.Invalid(errors) : null;
    }

    /// <summary>Reads a body that may be left out.</summary>
    public static async Task<(T? Request, IResult? Problem)> ReadAsync<T>(
        HttpRequest http, JsonTypeInfo<T> type, Func<T, string?> noteOf, CancellationToken cancellationToken)
        where T : class
    {
        if (http.ContentLength is null or 0 && http.ContentType is null) return (null, null);
        var body = await RequestJson.ReadAsync(http, type, BodyBytes, withFingerprint: false, cancellationToken);
        return body.Value is { } request ? (request, ProblemOf(noteOf(request))) : (null, body.Problem);
    }
}
