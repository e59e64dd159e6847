using Tidings.Realtime.Connections;

namespace Tidings.Protocols.SocketIo;

/// <summary>What the wire format knows of one socket. Touched on its connection's shard, but for what is set before it is opened.</summary>
/// <param name="pid">The secret with which it can be recovered.</param>
/// <param name="isRecovering">Whether it is being put back to where it was: the reply comes behind what it missed.</param>
internal sealed class SocketState(string pid, bool isRecovering)
{
    /// <summary>The secret with which it can be recovered.</summary>
    public string Pid => pid;

    /// <summary>Whether the reply comes behind what was missed.</summary>
    public bool IsRecovering => isRecovering;

    /// <summary>Whether the client has what it begins with, so that every further subscription is told.</summary>
    public bool IsReady { get; set; }

    /// <summary>Whether something of what was missed can't be had.</summary>
    public bool HasFailed { get; set; }

    /// <summary>When the token ends.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}

/// <summary>The channels that a socket begins with are there. Goes through the connection's one queue like everything else.</summary>
internal sealed record SocketReadyMessage : ServerMessage;

/// <summary>The client asked again for the reply that it has.</summary>
internal sealed record SocketReplyMessage : ServerMessage;
