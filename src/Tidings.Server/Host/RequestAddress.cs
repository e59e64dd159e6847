using System.Net;
using Tidings.Protocols.Admission;

namespace Tidings.Server.Host;

/// <summary>The address that limits of the REST API count by.</summary>
internal static class RequestAddress
{
    /// <summary>
    /// The address of a request's client. Null where it is not known: a local socket, or a trusted proxy that did not say for whom it asks
    /// (all its clients would share one limit). Loopback counts as a client, because requests end: live connections are another matter.
    /// </summary>
    public static ClientAddress? Of(HttpContext context, TidingsOptions options)
    {
        if (context.Connection.RemoteIpAddress is not { } address) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (!IPAddress.IsLoopback(address) && options.TrustedProxies.Any(proxy => proxy.Contains(address))) return null;
        return ClientAddress.Of(address);
    }
}
