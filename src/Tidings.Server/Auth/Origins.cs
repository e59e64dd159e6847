using Tidings.Server.Host;

namespace Tidings.Server.Auth;

/// <summary>Which pages may act with a visitor's cookie: the server's own and those of the allowed origins, compared byte for byte.</summary>
internal sealed class Origins(TidingsOptions options)
{
    private readonly HashSet<string> _allowed = new(options.AllowedOrigins, StringComparer.Ordinal);

    /// <summary>
    /// Whether the browser says that a page of ours sent the request. Without an <c>Origin</c> its <c>Sec-Fetch-Site</c> counts; a request
    /// with neither does not come from a current browser and should use a bearer.
    /// </summary>
    public bool IsOurPage(HttpRequest request)
    {
        var origin = request.Headers.Origin;
        return origin.Count switch
        {
            0 => request.Headers["Sec-Fetch-Site"] is [{ } site] && site == "same-origin",
            1 => origin[0] is { } text && (text == $"{request.Scheme}://{request.Host.Value}" || _allowed.Contains(text)),
            _ => false,
        };
    }
}
