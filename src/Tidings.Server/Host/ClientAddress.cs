using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tidings.Server.Host;

/// <summary>
/// The address that limits count by: an IPv4 address, or an IPv6 network of 64 bits, which is what one client has.
/// </summary>
internal readonly record struct ClientAddress(ulong Network, bool IsV6)
{
    /// <summary>
    /// The address of a request's client. Null where it is not known: a local socket, or a trusted proxy that did not say for whom it asks
    /// (all its clients would share one limit). Loopback counts as a client.
    /// </summary>
    public static ClientAddress? Of(HttpContext context, TidingsOptions options)
    {
        if (context.Connection.RemoteIpAddress is not { } address) return null;
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (!IPAddress.IsLoopback(address) && options.TrustedProxies.Any(proxy => proxy.Contains(address))) return null;
        return Of(address);
    }

    /// <summary>What an address counts as.</summary>
    public static ClientAddress Of(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new ClientAddress(BinaryPrimitives.ReadUInt64BigEndian(bytes), IsV6: true)
            : new ClientAddress(BinaryPrimitives.ReadUInt32BigEndian(bytes), IsV6: false);
    }
}
