using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Tidings.Protocols.Admission;

/// <summary>
/// The address that limits count by: an IPv4 address, or an IPv6 network of 64 bits, which is what one client has.
/// </summary>
/// <param name="Network">Its bits.</param>
/// <param name="IsV6">Whether they are the first 64 of an IPv6 address.</param>
internal readonly record struct ClientAddress(ulong Network, bool IsV6)
{
    /// <summary>What an address counts as; one of IPv4 that is mapped into IPv6 as what it is.</summary>
    public static ClientAddress Of(IPAddress address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetworkV6
            ? new ClientAddress(BinaryPrimitives.ReadUInt64BigEndian(bytes), IsV6: true)
            : new ClientAddress(BinaryPrimitives.ReadUInt32BigEndian(bytes), IsV6: false);
    }
}
