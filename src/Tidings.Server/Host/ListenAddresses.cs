using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Http;

namespace Tidings.Server.Host;

/// <summary>Looks at the addresses before Kestrel does, which would log what is wrong with them as a stack trace beside our sentence.</summary>
internal static class ListenAddresses
{
    public const string ChooseAnother = "Choose another port with --urls http://localhost:5001.";

    /// <summary>What is wrong with <c>--urls</c>, in a sentence; null if nothing is. Addresses under <c>Kestrel:Endpoints</c> are Kestrel's affair.</summary>
    public static string? FindProblem(IConfiguration configuration)
    {
        if (configuration.GetSection("Kestrel:Endpoints").Exists()) return null;
        return (configuration["urls"] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(ProblemOf)
            .FirstOrDefault(static problem => problem is not null);
    }

    private static string? ProblemOf(string url)
    {
        BindingAddress address;
        try
        {
            address = BindingAddress.Parse(url);
        }
        catch (FormatException format)
        {
            return $"{format.Message} Write an address as --urls http://localhost:5000.";
        }

        if (address.IsUnixPipe || address.IsNamedPipe || address.Port == 0) return null;
        if (address.Port is < 0 or > IPEndPoint.MaxPort) return $"'{url}' has no port between 1 and {IPEndPoint.MaxPort}. {ChooseAnother}";

        var host = string.Equals(address.Host, "localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
            : IPAddress.TryParse(address.Host.Trim('[', ']'), out var ip) ? ip
            : Socket.OSSupportsIPv6 ? IPAddress.IPv6Any : IPAddress.Any; // any other name stands for all addresses
        try
        {
            using var socket = new Socket(host.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
            if (host.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(new IPEndPoint(host, address.Port));
            return null;
        }
        catch (SocketException taken) when (taken.SocketErrorCode == SocketError.AddressAlreadyInUse)
        {
            return $"The address {url} is in use already. {ChooseAnother}";
        }
        catch (SocketException refused) when (refused.SocketErrorCode is SocketError.AccessDenied or SocketError.AddressNotAvailable)
        {
            return $"The server can't listen on {url}: {refused.Message}. {ChooseAnother}";
        }
    }
}
