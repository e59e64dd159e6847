using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Tidings.Server.Host;

/// <summary>What became of a request's body: a value, or the problem to answer with.</summary>
/// <param name="Value">The value; null if there is a problem.</param>
/// <param name="Problem">What to answer; null if there is a value.</param>
/// <param name="Fingerprint">A digest of the method, the path and the body's bytes, if it was asked for: tells a repetition from another request.</param>
internal readonly record struct ReadBody<T>(T? Value, IResult? Problem, byte[]? Fingerprint = null)
    where T : class;

/// <summary>
/// Reads a body of JSON by the rules of <see cref="JsonBodies"/> where binding it as a parameter is not enough: its bytes are needed for
/// a fingerprint, or it has a limit of its own.
/// </summary>
internal static class RequestJson
{
    /// <summary>The options for a generated context that reads requests.</summary>
    public static JsonSerializerOptions Strict(JsonSerializerOptions generated)
    {
        var options = new JsonSerializerOptions(generated);
        JsonBodies.Configure(options);
        return options;
    }

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
            var reader = new Utf8JsonReader(bytes, new JsonReaderOptions { MaxDepth = type.Options.MaxDepth });
            var value = JsonSerializer.Deserialize(ref reader, type);
            return value is not null && !reader.Read() ? new(value, null) : new(null, Problems.Problem(400, "malformed_json", "The body is not one JSON object."));
        }
        catch (JsonException exception)
        {
            return new(null, JsonBodies.ProblemOf(exception));
        }
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
