using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Posts;

/// <summary>What became of a request's body: a value, or the problem to answer with.</summary>
/// <param name="Value">The value; null if there is a problem.</param>
/// <param name="Problem">What to answer; null if there is a value.</param>
/// <param name="Fingerprint">A digest of the method, the path and the body's bytes, if it was asked for: tells a repetition from another request.</param>
internal readonly record struct ReadBody<T>(T? Value, ProblemHttpResult? Problem, byte[]? Fingerprint = null)
    where T : class;

/// <summary>
/// Reads a body of JSON strictly and says what is wrong with it by the field's name. Unknown fields are ignored, a field that is there
/// twice, a wrong type and half a surrogate pair are not.
/// </summary>
internal static class RequestJson
{
    /// <summary>The most bytes of a body that has no long text in it.</summary>
    public const int SmallBody = 32 * 1024;

    /// <summary>The options for a generated context that reads requests.</summary>
    public static JsonSerializerOptions Strict(JsonSerializerOptions generated) =>
        new(generated) { AllowDuplicateProperties = false, MaxDepth = 32 };

    /// <summary>Reads the whole body, at most <paramref name="maxBytes"/>.</summary>
    public static async Task<ReadBody<T>> ReadAsync<T>(
        HttpRequest request, JsonTypeInfo<T> type, int maxBytes, bool withFingerprint, CancellationToken cancellationToken)
        where T : class
    {
        if (!request.HasJsonContentType())
            return new(null, Problems.Problem(415, "unsupported_media_type", "The body must be application/json."));
        if (request.ContentLength > maxBytes) return new(null, TooLarge(maxBytes));

        var pipe = request.BodyReader;
        while (true)
        {
            var read = await pipe.ReadAsync(cancellationToken).ConfigureAwait(false);
            if (read.Buffer.Length > maxBytes)
            {
                pipe.AdvanceTo(read.Buffer.End);
                return new(null, TooLarge(maxBytes));
            }

            if (!read.IsCompleted)
            {
                pipe.AdvanceTo(read.Buffer.Start, read.Buffer.End);
                continue;
            }

            try
            {
                var body = Parse(read.Buffer, type);
                return withFingerprint && body.Value is not null ? body with { Fingerprint = FingerprintOf(request, read.Buffer) } : body;
            }
            finally
            {
                pipe.AdvanceTo(read.Buffer.End);
            }
        }
    }

    private static ReadBody<T> Parse<T>(ReadOnlySequence<byte> bytes, JsonTypeInfo<T> type)
        where T : class
    {
        try
        {
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = 32 });
            var value = JsonSerializer.Deserialize(ref reader, type);
            if (value is not null && !HasMore(ref reader)) return new(value, null);
        }
        catch (JsonException exception) when (exception.InnerException is not JsonException && FieldOf(exception.Path) is { } field)
        {
            return new(null, Problems.Invalid(field, "This is not of the right type."));
        }
        catch (JsonException)
        {
            // As below: it is not JSON, or not an object.
        }

        return new(null, Problems.Problem(400, "malformed_json", "The body is not one JSON object."));
    }

    private static bool HasMore(ref Utf8JsonReader reader) => reader.Read();

    /// <summary>The field's name in a path such as <c>$.accountIds[0]</c>; null for the whole.</summary>
    private static string? FieldOf(string? path)
    {
        if (path is null || !path.StartsWith("$.", StringComparison.Ordinal)) return null;
        var end = path.AsSpan(2).IndexOfAny('.', '[');
        return end < 0 ? path[2..] : path.Substring(2, end);
    }

    private static byte[] FingerprintOf(HttpRequest request, ReadOnlySequence<byte> body)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        digest.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.PathBase}{request.Path}\n"));
        foreach (var piece in body) digest.AppendData(piece.Span);
        return digest.GetHashAndReset();
    }

    private static ProblemHttpResult TooLarge(int maxBytes) =>
        Problems.Problem(413, "too_large", $"The body may have at most {maxBytes} bytes.");
}
