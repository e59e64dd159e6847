namespace Tidings.Server.Auth.Jwt;

/// <summary>The keys that tokens may be signed with: our own secret, and the configured key set of the host's sign-in.</summary>
internal sealed class JwtKeys(HmacKey local, JwksKeys? remote)
{
    /// <summary>Our own secret, which the host app may share: the only key for HS256.</summary>
    public HmacKey Local => local;

    /// <summary>Whether there is a key set that may know more keys than it has told.</summary>
    public bool HasRemote => remote is not null;

    /// <summary>The key for an algorithm and a <c>kid</c>; null if there is none yet.</summary>
    public JwtKey? Find(JwtAlgorithm algorithm, string? keyId) =>
        algorithm == JwtAlgorithm.HS256 ? local : remote?.Find(algorithm, keyId);

    /// <summary>Asks the key set again, if it may be asked now. True if it was asked or has become known meanwhile.</summary>
    public ValueTask<bool> RefreshForAsync(JwtAlgorithm algorithm, string? keyId, CancellationToken cancellationToken) =>
        remote is null ? ValueTask.FromResult(false) : remote.RefreshForAsync(algorithm, keyId, cancellationToken);
}
