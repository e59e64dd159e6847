using System.Buffers;
using System.Text;

namespace Tidings.Protocols.Upgrade;

/// <summary>A path at which WebSockets are served.</summary>
internal sealed class UpgradePath
{
    /// <summary>What one segment may consist of that means the same to everybody, decoded or not (RFC 3986 section 2.3).</summary>
    private static readonly SearchValues<char> Unreserved =
        SearchValues.Create("-.0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~");

    private readonly string _fixed;
    private readonly bool _hasSegment;

    /// <param name="pattern">As <see cref="WebSockets.IWebSocketEndpoint.Paths"/> has it: all of it literal, but for one <c>{name}</c> at the end.</param>
    public UpgradePath(string pattern)
    {
        var brace = pattern.IndexOf('{', StringComparison.Ordinal);
        _hasSegment = brace >= 0;
        _fixed = _hasSegment ? pattern[..brace] : pattern;
    }

    /// <summary>Whether the beginning of a request's target may turn out to be this path.</summary>
    public bool MayBecome(ReadOnlySpan<byte> target)
    {
        var common = Math.Min(target.Length, _fixed.Length);
        return Ascii.Equals(target[..common], _fixed.AsSpan(0, common))
            && (_hasSegment || target.Length <= _fixed.Length || target[_fixed.Length] is (byte)'?' or (byte)' ');
    }

    /// <summary>Whether a whole path is this one.</summary>
    public bool Is(string path)
    {
        if (!_hasSegment) return path == _fixed;
        return path.StartsWith(_fixed, StringComparison.Ordinal)
            && path.Length > _fixed.Length && path.AsSpan(_fixed.Length) is not ("." or "..") && !path.AsSpan(_fixed.Length).ContainsAnyExcept(Unreserved);
    }
}
