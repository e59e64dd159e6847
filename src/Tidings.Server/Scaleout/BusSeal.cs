using System.Buffers;
using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Scaleout;

/// <summary>
/// Signs what travels between nodes, so that whoever else can write to the bus cannot speak for a node. The key is derived from the app's
/// secret, which all nodes share. It does not hide anything. Safe for all threads.
/// </summary>
internal sealed class BusSeal
{
    private const int TagBytes = 16;

    private readonly byte[] _key;

    /// <param name="appSecret">The secret that the nodes share.</param>
    public BusSeal(string appSecret) =>
        _key = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(appSecret), 32, info: "tidings bus 1"u8.ToArray());

    /// <summary>Adds the signature of what has been written.</summary>
    public void Close(ArrayBufferWriter<byte> message)
    {
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, message.WrittenSpan, tag);
        message.Write(tag[..TagBytes]);
    }

    /// <summary>Checks the signature and takes it off.</summary>
    /// <returns>False if it is not ours.</returns>
    public bool TryOpen(ReadOnlySpan<byte> sealedMessage, out ReadOnlySpan<byte> message)
    {
        message = default;
        if (sealedMessage.Length <= TagBytes) return false;
        Span<byte> tag = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(_key, sealedMessage[..^TagBytes], tag);
        if (!CryptographicOperations.FixedTimeEquals(tag[..TagBytes], sealedMessage[^TagBytes..])) return false;
        message = sealedMessage[..^TagBytes];
        return true;
    }
}
