using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Bench.Network;

/// <summary>Mints what a host app would: one HS256 token per user. The server's own <c>token</c> command would start a process for each.</summary>
internal static class Token
{
    private static readonly string Header = Base64Url.EncodeToString("{\"alg\":\"HS256\",\"typ\":\"JWT\"}"u8);

    internal static string For(string userId, string secret)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var claims = $"{{\"sub\":\"{userId}\",\"nickname\":\"{userId}\",\"iat\":{now},\"exp\":{now + 86_400}}}";
        var signed = $"{Header}.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims))}";
        var signature = HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), Encoding.ASCII.GetBytes(signed));
        return $"{signed}.{Base64Url.EncodeToString(signature)}";
    }
}
