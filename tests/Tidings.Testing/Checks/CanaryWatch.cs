using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;

namespace Tidings.Testing.Checks;

/// <summary>
/// The canary of a whole suite. It knows each locked text of the tests and who may read it; the shared clients let it look through every byte
/// that reaches them, and the servers through every line that they write. <see cref="Verify"/> fails if there was a hit. Safe for all threads.
/// </summary>
public sealed class CanaryWatch
{
    private const int MarkerLength = 39; // the prefix, and 32 hex digits
    private static readonly byte[] PrefixBytes = Encoding.ASCII.GetBytes(LockedText.Prefix);

    private readonly ConcurrentDictionary<string, LockedText> _texts = [];
    private readonly ConcurrentDictionary<string, string> _users = [];
    private readonly ConcurrentDictionary<string, byte> _trusted = [];
    private readonly ConcurrentQueue<string> _hits = [];
    private long _looked;
    private long _bytes;

    /// <summary>The one of this process.</summary>
    public static CanaryWatch Shared { get; } = new();

    /// <summary>What was found where it must not be.</summary>
    public IReadOnlyCollection<string> Hits => _hits;

    /// <summary>What was looked through so far, in words.</summary>
    public string Summary => $"canary: {_texts.Count} locked texts, {Volatile.Read(ref _looked)} messages and lines of log with {Volatile.Read(ref _bytes)} bytes, {_hits.Count} hits";

    /// <summary>A new text that is watched.</summary>
    public LockedText NewText()
    {
        var text = new LockedText($"{LockedText.Prefix}{Guid.NewGuid():N}");
        _texts[text.Text] = text;
        return text;
    }

    /// <summary>The first watched text in a text; null if there is none.</summary>
    public LockedText? Find(string text)
    {
        for (var at = -1; (at = text.IndexOf(LockedText.Prefix, at + 1, StringComparison.Ordinal)) >= 0 && text.Length >= at + MarkerLength;)
            if (_texts.TryGetValue(text.Substring(at, MarkerLength), out var found)) return found;
        return null;
    }

    /// <summary>Says whose a token is; of a token that a host app signs it can be read.</summary>
    public void Know(string token, string userId) => _users[token] = userId;

    /// <summary>Says that who holds this secret may read all: a backend.</summary>
    public void Trust(string secret) => _trusted[secret] = 0;

    /// <summary>Who has a token.</summary>
    public string ReaderOf(string token) => _users.TryGetValue(token, out var known) ? known : _users.GetOrAdd(token, static token => SubjectOf(token) ?? token);

    /// <summary>Looks through what reached whoever has a token; null: a visitor.</summary>
    public void Look(string? token, string way, string text) => Look(token, way, Encoding.UTF8.GetBytes(text));

    /// <inheritdoc cref="Look(string?, string, string)" />
    public void Look(string? token, string way, ReadOnlySpan<byte> bytes)
    {
        Count(bytes.Length);
        for (var rest = bytes; rest.IndexOf(PrefixBytes) is >= 0 and var at; rest = rest[(at + PrefixBytes.Length)..])
        {
            if (rest.Length < at + MarkerLength || !_texts.TryGetValue(Encoding.Latin1.GetString(rest.Slice(at, MarkerLength)), out var text)) continue;
            if (token is not null && _trusted.ContainsKey(token)) continue;
            var reader = token is null ? null : ReaderOf(token);
            if (!text.IsFor(reader)) _hits.Enqueue($"{reader ?? "a visitor"} received {text.Text} by {way}");
        }
    }

    /// <summary>Looks through a line of a log, in which nobody may read any of the texts.</summary>
    public void LookThroughLog(string line)
    {
        Count(line.Length);
        if (Find(line) is { } text) _hits.Enqueue($"a log has {text.Text}: {line}");
    }

    /// <summary>Fails with the hits, if there are any.</summary>
    public void Verify()
    {
        if (!_hits.IsEmpty) throw new InvalidOperationException($"{Summary}:\n{string.Join('\n', _hits.Take(20))}");
    }

    private void Count(int bytes)
    {
        Interlocked.Increment(ref _looked);
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>The <c>sub</c> of a JWT.</summary>
    private static string? SubjectOf(string token)
    {
        try
        {
            return token.Split('.') is [_, var claims, _] ? JsonDocument.Parse(System.Buffers.Text.Base64Url.DecodeFromChars(claims)).RootElement.GetProperty("sub").GetString() : null;
        }
        catch (Exception exception) when (exception is FormatException or JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return null;
        }
    }
}
