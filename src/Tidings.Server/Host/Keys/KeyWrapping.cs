using System.Security.Cryptography;
using System.Text;
using System.Xml.Linq;
using Microsoft.AspNetCore.DataProtection.XmlEncryption;

namespace Tidings.Server.Host.Keys;

/// <summary>
/// The keys under which the nodes' shared Data Protection keys are kept in the database, so that a copy of the database opens nothing: AES-256-GCM
/// under a key derived from each of <c>Tidings:EncryptionKeys</c>. The first wraps, all unwrap, so that a new one is put in front of the old.
/// Safe for all threads.
/// </summary>
internal sealed class KeyWrapping
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;
    private const int NameBytes = 8;

    private static readonly byte[] Purpose = "tidings data protection keys v1"u8.ToArray();

    private readonly List<(byte[] Name, byte[] Key)> _keys;

    /// <param name="secrets">The configured texts, the newest first.</param>
    public KeyWrapping(IReadOnlyList<string> secrets)
    {
        ArgumentOutOfRangeException.ThrowIfZero(secrets.Count, nameof(secrets));
        _keys = [.. secrets.Select(static secret =>
        {
            var bytes = HKDF.DeriveKey(HashAlgorithmName.SHA256, Encoding.UTF8.GetBytes(secret), NameBytes + 32, info: Purpose);
            return (bytes[..NameBytes], bytes[NameBytes..]);
        })];
    }

    /// <summary>The name of the key, the nonce, the tag and the text's bytes under the newest key.</summary>
    public byte[] Wrap(string text)
    {
        var plain = Encoding.UTF8.GetBytes(text);
        var wrapped = new byte[NameBytes + NonceBytes + TagBytes + plain.Length];
        var (name, key) = _keys[0];
        name.CopyTo(wrapped, 0);
        var nonce = wrapped.AsSpan(NameBytes, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, wrapped.AsSpan(NameBytes + NonceBytes + TagBytes), wrapped.AsSpan(NameBytes + NonceBytes, TagBytes), name);
        return wrapped;
    }

    /// <summary>What <see cref="Wrap"/> was given.</summary>
    /// <exception cref="CryptographicException">It was wrapped by none of these keys, or was changed.</exception>
    public string Unwrap(ReadOnlySpan<byte> wrapped)
    {
        if (wrapped.Length >= NameBytes + NonceBytes + TagBytes)
        {
            var name = wrapped[..NameBytes];
            foreach (var (known, key) in _keys)
            {
                if (!name.SequenceEqual(known)) continue;
                var plain = new byte[wrapped.Length - NameBytes - NonceBytes - TagBytes];
                using var aes = new AesGcm(key, TagBytes);
                aes.Decrypt(wrapped.Slice(NameBytes, NonceBytes), wrapped[(NameBytes + NonceBytes + TagBytes)..], wrapped.Slice(NameBytes + NonceBytes, TagBytes), plain, name);
                return Encoding.UTF8.GetString(plain);
            }
        }

        throw new CryptographicException("A Data Protection key in the database was wrapped by none of Tidings:EncryptionKeys: put the key that was configured before behind the new one.");
    }
}

/// <summary>Wraps what Data Protection stores.</summary>
internal sealed class WrappedXmlEncryptor(KeyWrapping keys) : IXmlEncryptor
{
    public EncryptedXmlInfo Encrypt(XElement plaintextElement) => new(
        new XElement("wrapped", Convert.ToBase64String(keys.Wrap(plaintextElement.ToString(SaveOptions.DisableFormatting)))), typeof(WrappedXmlDecryptor));
}

/// <summary>Unwraps it. Data Protection makes it by its name, with the services.</summary>
internal sealed class WrappedXmlDecryptor(IServiceProvider services) : IXmlDecryptor
{
    public XElement Decrypt(XElement encryptedElement) =>
        XElement.Parse(services.GetRequiredService<KeyWrapping>().Unwrap(Convert.FromBase64String(encryptedElement.Value)));
}
