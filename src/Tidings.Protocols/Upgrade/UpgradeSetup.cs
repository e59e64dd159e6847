using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Tidings.Protocols.Upgrade;

namespace Tidings.Protocols;

/// <summary>Serves WebSockets of an endpoint before HTTP.</summary>
public static class UpgradeSetup
{
    /// <summary>
    /// Recognises the WebSocket handshakes of plain connections to this endpoint before HTTP does, which saves memory and time. They then
    /// pass by the host's middlewares: its own routing, authentication and limits do not see them; Tidings' origin, token and limits apply in
    /// any case. Under TLS, and for anything unusual, HTTP serves them as without it. The app does not start if something is added to
    /// <see cref="TidingsSetup.MapTidings"/>, or demanded of every request, that would be passed by.
    /// </summary>
    /// <param name="listen">The endpoint.</param>
    /// <param name="prepare">
    /// Does to a request what the host's middlewares would have to, such as believing the headers of a trusted proxy. Without it requests
    /// with such headers are left to HTTP. Any thread.
    /// </param>
    public static ListenOptions UseTidings(this ListenOptions listen, Action<HttpContext>? prepare = null)
    {
        ArgumentNullException.ThrowIfNull(listen);
        var upgrade = listen.ApplicationServices.GetRequiredService<EarlyUpgrade>;
        listen.Use(next =>
        {
            UpgradeCheck.Run(listen.ApplicationServices); // when the server binds: everything is mapped by then
            EarlyUpgrade? serving = null; // made with the first connection: by then everything is registered and running
            return connection => (serving ??= upgrade()).ServeAsync(connection, prepare, next);
        });
        return listen;
    }
}
