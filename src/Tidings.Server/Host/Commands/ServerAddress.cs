namespace Tidings.Server.Host.Commands;

/// <summary>Where the running server is that a command talks to, and a client for it.</summary>
internal static class ServerAddress
{
    private const int MostUrlChars = 2_048;
    private const int MostAnswerBytes = 64 * 1024;

    /// <summary>What <c>--url</c> names, or where a server with this configuration listens.</summary>
    /// <exception cref="CommandUsageException">It is no address.</exception>
    public static Uri Of(CommandArguments arguments, IConfiguration configuration) =>
        arguments.Optional("url") is { } url ? Parse(url) : Listening(configuration);

    /// <summary>A client that follows nobody elsewhere.</summary>
    public static HttpClient Client() =>
        new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false }) { MaxResponseContentBufferSize = MostAnswerBytes };

    /// <summary>Where the server listens that is started with this configuration; what listens everywhere is asked on loopback.</summary>
    private static Uri Listening(IConfiguration configuration)
    {
        if (configuration[WebHostDefaults.ServerUrlsKey] is not { Length: > 0 } urls) return new Uri("http://127.0.0.1:5000");
        try
        {
            var first = BindingAddress.Parse(urls.Split(';')[0]);
            var host = first.Host is "*" or "+" or "0.0.0.0" or "[::]" ? "127.0.0.1" : first.Host;
            return new UriBuilder(first.Scheme, host, first.Port).Uri;
        }
        catch (FormatException)
        {
            throw new CommandUsageException($"The server's address '{urls}' cannot be read: name one with --url.");
        }
    }

    private static Uri Parse(string text) =>
        text.Length <= MostUrlChars && Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url is { UserInfo: "", PathAndQuery: "/", Fragment: "" }
            ? url
            : throw new CommandUsageException("--url must be an address such as http://127.0.0.1:5000, without a path.");
}
