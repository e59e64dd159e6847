using System.Text;

namespace Tidings.Protocols.Pusher;

/// <summary>The app whose clients and backends speak Pusher's protocol.</summary>
/// <param name="id">Names it in the paths of the HTTP API.</param>
/// <param name="key">Names it in the path of the WebSocket and before each signature. Not a secret.</param>
/// <param name="secret">Signs; never leaves the servers and is in no log.</param>
internal sealed class PusherApp(string id, string key, string secret)
{
    private readonly byte[] _secret = Encoding.UTF8.GetBytes(secret);

    /// <summary>Names it in the paths of the HTTP API.</summary>
    public string Id => id;

    /// <summary>Names it to clients.</summary>
    public string Key => key;

    /// <summary>The key of its signatures.</summary>
    public ReadOnlySpan<byte> Secret => _secret;

    /// <summary>Further pairs of key and secret that are taken, so that clients and servers can change to a new one at their own time. What we sign, this pair signs.</summary>
    public IReadOnlyList<PusherApp> OtherPairs { get; init; } = [];

    /// <summary>The pair with a key; null if there is none.</summary>
    public PusherApp? With(ReadOnlySpan<char> shownKey)
    {
        if (shownKey.SequenceEqual(key)) return this;
        foreach (var pair in OtherPairs)
            if (shownKey.SequenceEqual(pair.Key)) return pair;
        return null;
    }

    /// <summary>Whether members of private and presence channels may send events to each other.</summary>
    public bool TakesClientEvents { get; init; } = true;

    /// <summary>Whether a client may stay that neither signs in nor reads a private or presence channel.</summary>
    public bool TakesStrangers { get; init; } = true;

    /// <summary>How long such a client may stay if it may not.</summary>
    public TimeSpan StrangersStay { get; init; } = TimeSpan.FromSeconds(30);
}
