using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Microsoft.AspNetCore.DataProtection;

namespace Tidings.Protocols.SocketIo;

/// <summary>
/// The secret that a client shows to get its socket back, <c>pid</c>: whose socket it was, sealed with the host's key ring, so that every
/// node and every later process can read it and nobody can make one. Safe for all threads.
/// </summary>
/// <param name="protection">The host's key ring.</param>
/// <param name="engine">Has the time.</param>
internal sealed class RecoveryKeys(IDataProtectionProvider protection, Realtime.RealtimeEngine engine)
{
    private const int LongestPid = 1_024;
    private const int MostEnded = 10_000;

    /// <summary>How long this node remembers who left on purpose. What is missed is bounded by the history in any case.</summary>
    private static readonly TimeSpan EndedFor = TimeSpan.FromMinutes(2);

    private readonly IDataProtector _protector = protection.CreateProtector("Tidings.SocketIo.Recovery.v1");
    private readonly ConcurrentDictionary<string, bool> _ended = new(StringComparer.Ordinal);
    private readonly Queue<(string Sid, long At)> _inOrder = new();
    private readonly Lock _lock = new();

    /// <summary>Makes the secret of a socket.</summary>
    /// <param name="sid">The socket's public id.</param>
    /// <param name="userId">Whose it is; null for an anonymous visitor's.</param>
    public string Seal(string sid, string? userId) => Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlEncode(
        _protector.Protect(Encoding.UTF8.GetBytes($"{sid} {userId}")));

    /// <summary>The socket that a secret stands for.</summary>
    /// <param name="pid">What the client showed.</param>
    /// <param name="userId">Who the client is.</param>
    /// <returns>Its public id; null if the secret is none, is another user's, or the socket was left on purpose.</returns>
    public string? Open(string pid, string? userId)
    {
        if (pid.Length > LongestPid) return null;
        try
        {
            var text = Encoding.UTF8.GetString(_protector.Unprotect(Microsoft.AspNetCore.WebUtilities.WebEncoders.Base64UrlDecode(pid)));
            var space = text.IndexOf(' ', StringComparison.Ordinal);
            var sid = text[..space];
            return text.AsSpan(space + 1).SequenceEqual(userId ?? "") && !_ended.ContainsKey(sid) ? sid : null;
        }
        catch (Exception exception) when (exception is CryptographicException or FormatException)
        {
            return null;
        }
    }

    /// <summary>A socket was left on purpose: it does not come back.</summary>
    public void End(string sid)
    {
        var now = engine.Clock.GetTimestamp();
        lock (_lock)
        {
            while (_inOrder.TryPeek(out var oldest) && engine.Clock.GetElapsedTime(oldest.At, now) > EndedFor)
                _ended.TryRemove(_inOrder.Dequeue().Sid, out _);
            if (_inOrder.Count < MostEnded && _ended.TryAdd(sid, true)) _inOrder.Enqueue((sid, now));
        }
    }
}
