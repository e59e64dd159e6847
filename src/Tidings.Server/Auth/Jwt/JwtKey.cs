using System.Security.Cryptography;

namespace Tidings.Server.Auth.Jwt;

/// <summary>The algorithms there are; everything else, <c>none</c> first of all, does not exist here.</summary>
internal enum JwtAlgorithm
{
    HS256,
    RS256,
    ES256,
}

/// <summary>A key and the one algorithm it is for: a token's header cannot make it do another's work. Safe for all threads.</summary>
internal abstract class JwtKey(JwtAlgorithm algorithm)
{
    public JwtAlgorithm Algorithm { get; } = algorithm;

    /// <summary>Whether a signature is this key's over the data.</summary>
    public abstract bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature);
}

/// <summary>A shared secret.</summary>
internal sealed class HmacKey(byte[] secret) : JwtKey(JwtAlgorithm.HS256)
{
    public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> expected = stackalloc byte[HMACSHA256.HashSizeInBytes];
        HMACSHA256.HashData(secret, data, expected);
        return CryptographicOperations.FixedTimeEquals(expected, signature);
    }

    /// <summary>Signs; the result is 32 bytes.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => HMACSHA256.HashData(secret, data);
}

/// <summary>An RSA key of at least 2048 bits.</summary>
internal sealed class RsaKey : JwtKey
{
    private readonly RSA _rsa;
    private readonly Lock _lock = new();

    /// <exception cref="CryptographicException">The parameters are no key, or one that is too weak or absurdly large.</exception>
    public RsaKey(byte[] modulus, byte[] exponent) : base(JwtAlgorithm.RS256)
    {
        var bits = BitLength(modulus);
        if (bits is < 2048 or > 8192) throw new CryptographicException($"An RSA key of {bits} bits is not accepted.");
        if (exponent.Length is 0 or > 4 || (exponent[^1] & 1) == 0 || (exponent.Length == 1 && exponent[0] < 3))
            throw new CryptographicException("The RSA exponent is not accepted.");
        _rsa = RSA.Create(new RSAParameters { Modulus = modulus, Exponent = exponent });
    }

    public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        // Instance members of RSA are not promised to be safe for several threads.
        lock (_lock) return _rsa.VerifyData(data, signature, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }

    private static int BitLength(byte[] modulus)
    {
        var number = modulus.AsSpan().TrimStart((byte)0);
        return number.IsEmpty ? 0 : (number.Length * 8) - (byte.LeadingZeroCount(number[0]));
    }
}

/// <summary>A key on the curve P-256.</summary>
internal sealed class EcdsaKey : JwtKey
{
    private const int SignatureBytes = 64;
    private readonly ECDsa _ecdsa;
    private readonly Lock _lock = new();

    /// <exception cref="CryptographicException">The coordinates are not a point of the curve.</exception>
    public EcdsaKey(byte[] x, byte[] y) : base(JwtAlgorithm.ES256)
    {
        if (x.Length != 32 || y.Length != 32) throw new CryptographicException("The coordinates of a P-256 key have 32 bytes each.");
        _ecdsa = ECDsa.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, Q = new ECPoint { X = x, Y = y } });
    }

    public override bool Verify(ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        if (signature.Length != SignatureBytes) return false;
        lock (_lock) return _ecdsa.VerifyData(data, signature, HashAlgorithmName.SHA256, DSASignatureFormat.IeeeP1363FixedFieldConcatenation);
    }
}
