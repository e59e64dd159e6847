using System.Buffers;
using Tidings.Protocols.Native;
using Tidings.Realtime.Channels;

namespace Tidings.Protocols.SignalR;

/// <summary>How the records of the hub protocol are written: the two that there are. Stateless, safe for all threads.</summary>
internal interface IHubEncoding
{
    /// <summary>Where publications keep their bytes for it.</summary>
    int Slot { get; }

    /// <summary>Whether its records are bytes and not text.</summary>
    bool IsBinary { get; }

    /// <summary>The sign of life.</summary>
    ReadOnlyMemory<byte> Ping { get; }

    /// <summary>Frames an event as <c>receive(event)</c>.</summary>
    IEventFrame Receive { get; }

    /// <summary>Frames an event under its own name.</summary>
    IEventFrame Named { get; }

    /// <summary>A call of the client's method with one argument, which is given as JSON.</summary>
    byte[] Invocation(string target, ReadOnlySpan<byte> json);

    /// <summary>The answer to a call, given as JSON.</summary>
    byte[] Completion(string invocationId, ReadOnlySpan<byte> json);

    /// <summary>The answer to a call that failed.</summary>
    byte[] Failure(string invocationId, string error);

    /// <summary>The last record of a connection.</summary>
    byte[] Close(string why, bool mayReconnect);

    /// <summary>How long an event for a feed is, of which only the feed's name is this reader's own.</summary>
    int FeedLength(EventPush.FeedParts parts, ChannelName feed);

    /// <summary>Writes it.</summary>
    void WriteFeed(Span<byte> into, EventPush.FeedParts parts, ChannelName feed);

    /// <summary>Takes the first record off a buffer, without what marks its end.</summary>
    /// <param name="buffer">What has arrived; what is taken is cut off.</param>
    /// <param name="mostBytes">The longest record.</param>
    /// <param name="record">The record.</param>
    HubTaking TryTake(ref ReadOnlySequence<byte> buffer, int mostBytes, out ReadOnlySequence<byte> record);

    /// <summary>Reads a record.</summary>
    /// <returns>Null, or what is wrong: the reason beside 4400.</returns>
    string? TryRead(ReadOnlyMemory<byte> text, out HubRecord? record);
}

/// <summary>What a buffer begins with.</summary>
internal enum HubTaking
{
    /// <summary>A record.</summary>
    Record,

    /// <summary>The beginning of one.</summary>
    Incomplete,

    /// <summary>One over the size limit.</summary>
    TooBig,
}
