using System.Collections.Immutable;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// One subscription of a Pusher client: the name as the client spells it, and what must be said before its events. Touched only on
/// the connection's shard once it is given to the engine.
/// </summary>
/// <param name="name">The name as spelled.</param>
/// <param name="channel">The channel.</param>
/// <param name="waits">Whether something has to be read before the client can be told that it is subscribed: members, or a last event.</param>
internal sealed class PusherChannel(PusherName name, ChannelName channel, bool waits)
{
    private List<(Publication Publication, PusherPush Push)>? _held = waits ? [] : null;

    /// <summary>The name as spelled.</summary>
    public PusherName Name => name;

    /// <summary>The channel.</summary>
    public ChannelName Channel => channel;

    /// <summary>The name's bytes, which need no escapes: names are ASCII, but for the id of a user.</summary>
    public byte[] Spelling { get; } = Escaped(name.Text);

    /// <summary>Whether the server has subscribed it by itself: the client did not ask, and gets no answer.</summary>
    public bool IsAttached { get; init; }

    /// <summary>Whether the engine has subscribed it.</summary>
    public bool IsSubscribed { get; private set; }

    /// <summary>Where the channel stood then: the last event up to it is the one that a cache channel gives.</summary>
    public Position Position { get; private set; }

    /// <summary>Whether its answer and its events wait.</summary>
    public bool IsHeld => _held is not null;

    /// <summary>The engine has subscribed it; the answer goes out unless it waits.</summary>
    public void Subscribed(Connection connection, Position position)
    {
        (IsSubscribed, Position) = (true, position);
        if (!IsHeld && !IsAttached) connection.Queue(PusherJson.Event("pusher_internal:subscription_succeeded", name.Text, "{}"u8));
    }

    /// <summary>Keeps an event until the answer is out.</summary>
    /// <returns>False if there are too many.</returns>
    public bool TryHold(Publication publication, PusherPush push, int most)
    {
        if (_held!.Count >= most) return false;
        _held.Add((publication, push));
        return true;
    }

    /// <summary>Ends the wait.</summary>
    /// <returns>What was held, in order.</returns>
    public IReadOnlyList<(Publication Publication, PusherPush Push)> TakeHeld()
    {
        var held = _held ?? [];
        _held = null;
        return held;
    }

    private static byte[] Escaped(string text) =>
        JsonEncodedText.Encode(text, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes.ToArray();
}

/// <summary>What the wire format keeps of a connection. Touched only on its shard, but for what was taken away.</summary>
internal sealed class PusherState
{
    private ImmutableHashSet<ChannelName> _takenAway = [];

    /// <summary>What the client asks now, so that the engine's refusal is told under the name that the client used.</summary>
    public PusherChannel? Asked { get; set; }

    /// <summary>How long the client may hear nothing before it asks whether we are there.</summary>
    public required TimeSpan ActivityTimeout { get; init; }

    /// <summary>The names as the client spells them, of what it reads.</summary>
    public Dictionary<ChannelName, string> Spellings { get; } = [];

    /// <summary>The channel was taken from the connection. On its shard.</summary>
    public void TakeAway(ChannelName channel) => Volatile.Write(ref _takenAway, _takenAway.Add(channel));

    /// <summary>Whether a channel was taken away: a signature from before, which is good for as long as the connection, opens it no more. Any thread.</summary>
    public bool WasTakenAway(ChannelName channel) => Volatile.Read(ref _takenAway).Contains(channel);
}
