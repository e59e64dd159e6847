namespace Tidings.Server.Host;

/// <summary>Reads bodies whose bytes are signed, as they were sent.</summary>
internal static class RawBody
{
    /// <summary>The body; null if it has more bytes than this.</summary>
    public static async Task<ReadOnlyMemory<byte>?> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        if (request.ContentLength > maxBytes) return null;
        using var body = new MemoryStream();
        var buffer = new byte[16 * 1024];
        while (await request.Body.ReadAsync(buffer, cancellationToken) is var count and > 0)
        {
            if (body.Length + count > maxBytes) return null;
            body.Write(buffer, 0, count);
        }

        return body.ToArray();
    }

    /// <summary>413 <c>too_large</c>.</summary>
    public static IResult TooLarge(int maxBytes) => Problems.Problem(413, "too_large", $"The body may have at most {maxBytes} bytes.");
}
