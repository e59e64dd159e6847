using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;

namespace Tidings.Protocols.Upgrade;

/// <summary>What the first bytes of a connection amount to.</summary>
internal enum HeadVerdict
{
    /// <summary>Not what we look for, or anything unusual: HTTP deals with it.</summary>
    Other,

    /// <summary>It may become one: more bytes are needed.</summary>
    Incomplete,

    /// <summary>A request for a WebSocket in plain words.</summary>
    Good,
}

/// <summary>
/// The head of a WebSocket handshake, RFC 6455 section 4.1, in the strictest reading of RFC 9112: one request line, fields that appear
/// once, no folding, no body. Whatever else is legal is left to HTTP, so nothing needs to be refused here.
/// </summary>
/// <param name="Path">Whose it is.</param>
/// <param name="Target">The path as sent.</param>
/// <param name="Query">The query with its question mark, or empty.</param>
/// <param name="Headers">The fields.</param>
/// <param name="Length">How many bytes it takes.</param>
internal sealed record UpgradeHead(UpgradePath Path, string Target, string Query, IHeaderDictionary Headers, int Length)
{
    /// <summary>The longest head that is looked at.</summary>
    public const int MaxBytes = 8 * 1024;

    private const int MaxFields = 50;

    private static readonly SearchValues<char> TokenChars =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

    private static readonly SearchValues<char> HostChars =
        SearchValues.Create("-.0123456789:ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz");

    private static ReadOnlySpan<byte> Method => "GET "u8;

    private static ReadOnlySpan<byte> Version => " HTTP/1.1"u8;

    private static ReadOnlySpan<byte> NewLine => "\r\n"u8;

    /// <summary>Reads a head from a connection's first bytes.</summary>
    /// <param name="received">What has come so far.</param>
    /// <param name="paths">The paths at which WebSockets are served, .</param>
    /// <param name="head">The head, if it is good.</param>
    public static HeadVerdict TryRead(ReadOnlySpan<byte> received, IReadOnlyCollection<UpgradePath> paths, out UpgradeHead? head)
    {
        head = null;
        if (!MayBeOurs(received, paths)) return HeadVerdict.Other;

        var length = received[..Math.Min(received.Length, MaxBytes)].IndexOf("\r\n\r\n"u8);
        if (length < 0) return received.Length < MaxBytes && !EndsOtherwise(received) ? HeadVerdict.Incomplete : HeadVerdict.Other;

        head = Parse(received[..(length + NewLine.Length)], paths, length + (2 * NewLine.Length));
        return head is null ? HeadVerdict.Other : HeadVerdict.Good;
    }

    /// <summary>Whether it is a whole head to HTTP, which takes a bare line feed for the end of a line; waiting on would be waiting for ever.</summary>
    private static bool EndsOtherwise(ReadOnlySpan<byte> received) => received.IndexOf("\n\n"u8) >= 0 || received.IndexOf("\n\r\n"u8) >= 0;

    /// <summary>Whether the bytes so far are the beginning of a request for one of the paths; most connections end here at their first bytes.</summary>
    private static bool MayBeOurs(ReadOnlySpan<byte> received, IReadOnlyCollection<UpgradePath> paths)
    {
        var start = received[..Math.Min(received.Length, Method.Length)];
        if (!Method.StartsWith(start)) return false;
        if (received.Length <= Method.Length) return true;

        var target = received[Method.Length..];
        foreach (var path in paths)
            if (path.MayBecome(target)) return true;
        return false;
    }

    /// <summary>Reads lines that end with CR LF each.</summary>
    private static UpgradeHead? Parse(ReadOnlySpan<byte> lines, IReadOnlyCollection<UpgradePath> paths, int length)
    {
        var end = lines.IndexOf(NewLine);
        var line = lines[..end];
        if (!line.EndsWith(Version)) return null;
        var target = line[Method.Length..^Version.Length];
        if (target.IndexOfAnyExceptInRange((byte)'!', (byte)'~') >= 0 || target.Contains((byte)'#')) return null;

        var query = target.IndexOf((byte)'?');
        var path = Encoding.ASCII.GetString(query < 0 ? target : target[..query]);
        if (paths.FirstOrDefault(known => known.Is(path)) is not { } ours) return null;

        var headers = new HeaderDictionary();
        for (lines = lines[(end + NewLine.Length)..]; !lines.IsEmpty; lines = lines[(end + NewLine.Length)..])
        {
            end = lines.IndexOf(NewLine);
            if (headers.Count == MaxFields || !TryAddField(headers, lines[..end])) return null;
        }

        return IsPlainUpgrade(headers) ? new UpgradeHead(ours, path, query < 0 ? "" : Encoding.ASCII.GetString(target[query..]), headers, length) : null;
    }

    private static bool TryAddField(IHeaderDictionary headers, ReadOnlySpan<byte> line)
    {
        var colon = line.IndexOf((byte)':');
        if (colon <= 0) return false;
        var name = Encoding.ASCII.GetString(line[..colon]);
        var value = line[(colon + 1)..].Trim(" \t"u8);
        return name.AsSpan().IndexOfAnyExcept(TokenChars) < 0
            && value.IndexOfAnyExceptInRange((byte)' ', (byte)'~') < 0
            && headers.TryAdd(name, new StringValues(Encoding.ASCII.GetString(value)));
    }

    /// <summary>Whether nothing but the handshake itself is asked; the handshake's own fields are judged where HTTP's are.</summary>
    private static bool IsPlainUpgrade(IHeaderDictionary headers) =>
        IsPlainHost(headers.Host)
        && headers.Connection.ToString().Split(',').Any(static option => option.AsSpan().Trim().Equals("upgrade", StringComparison.OrdinalIgnoreCase))
        && headers.ContentLength is null
        && !headers.ContainsKey("Content-Length")
        && !headers.ContainsKey("Transfer-Encoding")
        && !headers.ContainsKey("Expect");

    /// <summary>A name or an IPv4 address, perhaps with a port; what else may be a host, HTTP knows.</summary>
    private static bool IsPlainHost(StringValues host) =>
        host.Count == 1 && host[0] is { Length: > 0 } text && text.AsSpan().IndexOfAnyExcept(HostChars) < 0
        && (text.IndexOf(':') is var colon && (colon < 0 || (colon > 0 && text.AsSpan(colon + 1).IndexOfAnyExceptInRange('0', '9') < 0)));
}
