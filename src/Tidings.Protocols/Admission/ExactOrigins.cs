using Microsoft.Extensions.Options;

namespace Tidings.Protocols.Admission;

/// <summary>The server's own origin and those of a list, compared byte for byte: no wildcards, no suffixes, no folding.</summary>
internal sealed class ExactOrigins(IOptions<NativeProtocolOptions> options) : IOriginPolicy
{
    private readonly HashSet<string> _allowed = new(options.Value.AllowedOrigins, StringComparer.Ordinal);

    /// <inheritdoc />
    public OriginVerdict Judge(string? origin, string scheme, string host) => origin switch
    {
        null => OriginVerdict.Absent,
        "" or "null" => OriginVerdict.Refused, // "null" is what any sandboxed page sends
        _ when IsOwn(origin, scheme, host) => OriginVerdict.Own,
        _ => _allowed.Contains(origin) ? OriginVerdict.Allowed : OriginVerdict.Refused,
    };

    /// <summary>Whether a text is an origin as a browser writes it; any other could never match.</summary>
    internal static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https") && uri.GetLeftPart(UriPartial.Authority) == text;

    private static bool IsOwn(ReadOnlySpan<char> origin, string scheme, string host) =>
        origin.Length == scheme.Length + 3 + host.Length
        && origin.StartsWith(scheme, StringComparison.Ordinal)
        && origin[scheme.Length..].StartsWith("://", StringComparison.Ordinal)
        && origin.EndsWith(host, StringComparison.Ordinal);
}
