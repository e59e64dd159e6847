namespace Tidings.Server.Host;

/// <summary>An answer whose JSON is already bytes.</summary>
internal sealed class JsonAnswer(int status, byte[] body, string? location = null) : IResult
{
    /// <inheritdoc />
    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        response.StatusCode = status;
        response.ContentType = "application/json; charset=utf-8";
        response.ContentLength = body.Length;
        if (location is not null) response.Headers.Location = location;
        await response.BodyWriter.WriteAsync(body, httpContext.RequestAborted).ConfigureAwait(false);
    }
}
