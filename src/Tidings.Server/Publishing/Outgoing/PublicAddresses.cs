using System.Net;
using System.Net.Sockets;

namespace Tidings.Server.Publishing.Outgoing;

/// <summary>
/// Which addresses are on the public internet. Everything else (this machine, the networks around it, clouds' metadata, ways to write an IPv4
/// address as IPv6) is not for requests whose target a user named.
/// </summary>
internal static class PublicAddresses
{
    private static readonly IPNetwork[] NotPublic =
    [
        .. new[]
        {
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24",
            "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
            "168.63.129.16/32", // a cloud's own services, although the address looks public
            "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", // special uses and Teredo, documentation, 6to4
        }.Select(IPNetwork.Parse),
    ];

    /// <summary>Whether an address is public.</summary>
    public static bool Contains(IPAddress address) => address.AddressFamily switch
    {
        AddressFamily.InterNetwork => !IsListed(address),
        AddressFamily.InterNetworkV6 => IsGlobalUnicast(address) && !IsListed(address),
        _ => false,
    };

    /// <summary>2000::/3. NAT64, mapped, link-local and unique-local addresses are not in it.</summary>
    private static bool IsGlobalUnicast(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        return address.TryWriteBytes(bytes, out _) && (bytes[0] & 0xE0) == 0x20;
    }

    private static bool IsListed(IPAddress address) => Array.Exists(NotPublic, network => network.Contains(address));
}
