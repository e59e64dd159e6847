using System.Net.Http.Headers;

namespace Tidings.Server.Publishing.Connectors;

/// <summary>Files as parts of multipart requests. They are read from the disk while they are sent.</summary>
internal static class MediaParts
{
    /// <summary>A form whose header every server understands: some refuse quotes around the boundary, which are .NET's habit.</summary>
    public static MultipartFormDataContent Form()
    {
        var boundary = Guid.NewGuid().ToString("N");
        var form = new MultipartFormDataContent(boundary);
        form.Headers.Remove("Content-Type");
        form.Headers.TryAddWithoutValidation("Content-Type", $"multipart/form-data; boundary={boundary}");
        return form;
    }

    /// <summary>Adds a field of text.</summary>
    public static void Field(this MultipartFormDataContent form, string name, string value)
    {
        var part = new StringContent(value);
        part.Headers.ContentType = null;
        form.Add(part, $"\"{name}\"");
    }

    /// <summary>Adds a file. False if it cannot be read.</summary>
    public static async Task<bool> FileAsync(this MultipartFormDataContent form, string name, int number, OutgoingMedia media, CancellationToken cancellationToken)
    {
        if (await OpenAsync(media, cancellationToken).ConfigureAwait(false) is not { } part) return false;
        form.Add(part, $"\"{name}\"", $"\"{number}{Extension(media.ContentType)}\"");
        return true;
    }

    /// <summary>A file as the body of a request; null if it cannot be read.</summary>
    public static async Task<HttpContent?> OpenAsync(OutgoingMedia media, CancellationToken cancellationToken)
    {
        try
        {
            var part = new StreamContent(await media.OpenAsync(cancellationToken).ConfigureAwait(false));
            part.Headers.ContentType = new MediaTypeHeaderValue(media.ContentType);
            part.Headers.ContentLength = media.Bytes;
            return part;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The post cannot be sent as it is.</summary>
    public static SendOutcome Unreadable() => new(SendResult.Rejected, "A file of the post can't be read any more.");

    private static string Extension(string contentType) => contentType switch
    {
        "image/jpeg" => ".jpg",
        "image/png" => ".png",
        "image/gif" => ".gif",
        "image/webp" => ".webp",
        "video/mp4" => ".mp4",
        "video/webm" => ".webm",
        "audio/mpeg" => ".mp3",
        "audio/ogg" => ".ogg",
        _ => ".bin",
    };
}
