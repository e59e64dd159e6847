using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

/// <summary>One server behind nginx without TLS and one behind nginx with it, for the tests of a class that leave them as they were.</summary>
public sealed class Site : IAsyncLifetime
{
    public ServerProcess Server { get; private set; } = null!;

    /// <summary>As in <c>compose.conf</c>.</summary>
    public NginxServer Nginx { get; private set; } = null!;

    /// <summary>As in <c>one-node.conf</c>.</summary>
    public NginxServer TlsNginx { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await ServerProcess.StartAsync();
        Nginx = await NginxServer.StartAsync(new NginxSettings { Site = "compose.conf", Nodes = [Server.Address] });
        TlsNginx = await NginxServer.StartAsync(new NginxSettings { Site = "one-node.conf", Nodes = [Server.Address] });
    }

    public async ValueTask DisposeAsync()
    {
        await TlsNginx.DisposeAsync();
        await Nginx.DisposeAsync();
        await Server.DisposeAsync();
    }

    /// <summary>A user's requests, through nginx.</summary>
    public static HttpClient Through(NginxServer nginx, Account account)
    {
        var http = new HttpClient(new SocketsHttpHandler { UseProxy = false, UseCookies = false, AllowAutoRedirect = false }) { BaseAddress = nginx.Address };
        http.DefaultRequestHeaders.Authorization = new("Bearer", account.Token);
        return http;
    }
}
