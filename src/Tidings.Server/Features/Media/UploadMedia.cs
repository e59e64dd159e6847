using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using Tidings.Server.Auth;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Media;

/// <summary>
/// Takes a file: as the body itself, or as the first file of a form. It is streamed to disk, never held in memory, and belongs to its
/// uploader alone until a post has it.
/// </summary>
internal static class UploadMedia
{
    /// <summary>The most files of one user that no post has yet.</summary>
    public const int MaxUnused = 100;

    /// <summary>What a form may have around the file.</summary>
    private const int FormBytes = 64 * 1024;

    private const int MaxFormSections = 16;

    public static async Task<IResult> HandleAsync(
        HttpContext http, CurrentUser user, MediaFiles files, UploadSlots slots, TidingsOptions options, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        using var slot = slots.Take(user.Id);
        if (!slot.IsAcquired) return RateLimits.TooMany(http, TimeSpan.FromSeconds(1));

        var limit = options.Limits.UploadBytes;
        if (http.Request.ContentLength > limit + FormBytes) return TooLarge(limit);
        if (http.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } body) body.MaxRequestBodySize = limit + FormBytes;
        if (await FileOfAsync(http.Request, cancellationToken) is not { } content)
            return Problems.Problem(415, "unsupported_media_type", "Send the file as the body, or as a file of a multipart/form-data form.");

        var now = clock.GetUtcNow();
        var id = Guid.CreateVersion7(now).ToString("N");
        try
        {
            if (await files.ReceiveAsync(id, content, limit, cancellationToken) is not { } bytes) return TooLarge(limit);
            if (bytes == 0) return Problems.Invalid("body", "The file is empty.");

            var head = await files.ReadHeadAsync(id, ImageSize.HeadBytes, cancellationToken);
            if (MediaFormat.Of(head.AsSpan(0, Math.Min(head.Length, MediaFormat.SignatureBytes))) is not { } format)
                return Problems.Problem(415, "unsupported_media_type", $"By its content this is none of {MediaFormat.Names}.");

            var size = ImageSize.Of(format, head);
            files.Keep(id);
            var row = new MediaRow
            {
                Id = id,
                OwnerId = user.Id,
                CreatedAt = now.ToUnixTimeMilliseconds(),
                ContentType = format.ContentType,
                Bytes = bytes,
                Width = size?.Width,
                Height = size?.Height,
            };
            if (!await TryAddAsync(store, row, cancellationToken))
            {
                files.Delete(id);
                return Problems.Problem(422, "too_many_uploads", $"There are {MaxUnused} files that no post has: use them, or wait until they are removed after a day.");
            }

            return TypedResults.Json(
                new MediaAnswer(id, MediaRow.UrlOf(id), format.Type, size?.Width, size?.Height), MediaJson.Answers.MediaAnswer, statusCode: 201);
        }
        catch (InvalidDataException)
        {
            return Problems.Problem(400, "bad_request", "The form cannot be understood.");
        }
        catch (IOException exception) when (exception is not BadHttpRequestException && IsOfDisk(exception))
        {
            throw new StoreUnavailableException("A file could not be written.", exception);
        }
        finally
        {
            files.Discard(id);
        }
    }

    /// <summary>The file in a request; null if there is none.</summary>
    private static async Task<Stream?> FileOfAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return request.ContentType is null ? request.Body : null;
        if (!type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
            return type.MediaType.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || request.HasJsonContentType() ? null : request.Body;

        var boundary = HeaderUtilities.RemoveQuotes(type.Boundary);
        if (boundary.Length is 0 or > 128) return null;
        var form = new MultipartReader(boundary.Value!, request.Body);
        for (var count = 0; count < MaxFormSections; count++)
        {
            var section = await NextAsync(form, cancellationToken);
            if (section is null) return null;
            if (section.GetContentDispositionHeader() is { } disposition && disposition.IsFileDisposition()) return section.Body;
        }

        return null;
    }

    private static async Task<MultipartSection?> NextAsync(MultipartReader form, CancellationToken cancellationToken)
    {
        try
        {
            return await form.ReadNextSectionAsync(cancellationToken);
        }
        catch (Exception exception) when (exception is InvalidDataException or (IOException and not BadHttpRequestException))
        {
            return null; // it ends before its end
        }
    }

    private static Task<bool> TryAddAsync(Store store, MediaRow row, CancellationToken cancellationToken) => store.WriteAsync(
        async write =>
        {
            if (await write.QuerySingleOrDefaultAsync<long>(MediaRow.Sql.CountUnused, new { row.OwnerId }) >= MaxUnused) return false;
            await write.ExecuteAsync(MediaRow.Sql.Insert, row);
            return true;
        },
        cancellationToken);

    /// <summary>Whether it is the disk that failed, and not the client's connection.</summary>
    private static bool IsOfDisk(IOException exception) => exception is not Microsoft.AspNetCore.Connections.ConnectionResetException;

    private static Microsoft.AspNetCore.Http.HttpResults.ProblemHttpResult TooLarge(long limit) =>
        Problems.Problem(413, "too_large", $"A file may have at most {limit} bytes.");
}

/// <summary>How many files one user may be sending at the same time.</summary>
internal sealed class UploadSlots : IDisposable
{
    private const int PerUser = 4;

    private readonly PartitionedRateLimiter<string> _slots = PartitionedRateLimiter.Create<string, string>(
        static user => RateLimitPartition.GetConcurrencyLimiter(user, static _ => new ConcurrencyLimiterOptions { PermitLimit = PerUser }));

    /// <summary>Takes one until it is disposed; not acquired if all are taken.</summary>
    public RateLimitLease Take(string userId) => _slots.AttemptAcquire(userId);

    public void Dispose() => _slots.Dispose();
}
