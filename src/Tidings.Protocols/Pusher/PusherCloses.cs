using Tidings.Protocols.Admission;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Pusher;

/// <summary>
/// The engine's reasons in Pusher's close codes. What the code says is what its clients do: 4000 to 4099 they stay away for good, from 4100
/// they come back after a second, from 4200 at once, so often that the last are for connections alone that were open.
/// </summary>
internal static class PusherCloses
{
    /// <summary>The engine's code for a server that is leaving.</summary>
    public const int OfGoingAway = 1001;

    public static CloseReason UnknownApp { get; } = new(4001, "The app does not exist");

    public static CloseReason BadVersion { get; } = new(4006, "The protocol version is not a number");

    public static CloseReason UnknownVersion { get; } = new(4007, "The protocol version is not supported");

    public static CloseReason NoVersion { get; } = new(4008, "The protocol version is missing");

    public static CloseReason Unauthorized { get; } = new(4009, "Connection not authorized");

    private static CloseReason OverCapacity { get; } = new(4100, "Over capacity");

    /// <summary>The reason with which a client is told.</summary>
    public static CloseReason Of(CloseReason reason) => reason.Code switch
    {
        OfGoingAway => new(4100, "The server is going away"),
        4401 when reason == CloseReason.TokenExpired => new(4200, reason.Reason), // it comes back at once, and asks its auth endpoint anew
        4401 or 4403 => new(4009, reason.Reason), // who it is counts no more, or it was sent away
        4408 => new(4201, reason.Reason),         // no pong
        4409 => new(4100, reason.Reason),         // too slow
        4429 or 4503 => OverCapacity,
        _ => reason,
    };
}

/// <summary>
/// The way to a Pusher client: the WebSocket, with Pusher's close codes. Those who are sent away together would come back in the same
/// instant, since their clients wait for exactly a second, so each hears of it at a time of its own.
/// </summary>
internal sealed class PusherTransport(WebSocketTransport transport, TimeProvider clock) : ITransport
{
    /// <summary>Over how long a time the ends are spread.</summary>
    public static readonly TimeSpan Spread = TimeSpan.FromSeconds(3);

    /// <inheritdoc />
    public bool WritesAtOnce => transport.WritesAtOnce;

    /// <inheritdoc />
    public int TryWrite(ReadOnlySpan<byte> bytes) => transport.TryWrite(bytes);

    /// <inheritdoc />
    public ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken) => transport.WriteAsync(pieces, cancellationToken);

    /// <inheritdoc />
    public async ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        if (writable && reason.Code == PusherCloses.OfGoingAway)
        {
            var wait = TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * Spread.TotalMilliseconds);
            if (RetryDelay.Of(reason) is { } retry && retry < wait) wait = retry;
            await Task.Delay(wait, clock);
        }

        await transport.CloseAsync(PusherCloses.Of(reason), writable);
    }
}
