using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Returning;

/// <summary>A live connection of a client that can't say what it saw last.</summary>
/// <param name="ConnectionId">Its id.</param>
/// <param name="UserId">Whose it is.</param>
/// <param name="Protocol">What it speaks: it comes back in the same.</param>
internal sealed record ReaderKey(string ConnectionId, string UserId, string Protocol);

/// <summary>What is known of a reader that vanished.</summary>
/// <param name="Channels">What it read.</param>
/// <param name="ReceivedThrough">What was sent until then it has surely received.</param>
internal sealed record ReaderTrace(IReadOnlySet<ChannelName> Channels, DateTimeOffset ReceivedThrough);

/// <summary>What a connection takes over of one that vanished.</summary>
/// <param name="Asking">Brings what is known of that; null if there is none.</param>
/// <param name="At">When it asked.</param>
internal sealed record ReaderClaim(Task<ReaderTrace?> Asking, DateTimeOffset At)
{
    private ReaderTrace? _taken;

    /// <summary>That of a connection that takes over nothing.</summary>
    public static ReaderClaim None { get; } = new(Task.FromResult<ReaderTrace?>(null), DateTimeOffset.MinValue);

    /// <summary>What it has taken over; null before it is known. Any thread.</summary>
    public ReaderTrace? Taken
    {
        get => Volatile.Read(ref _taken);
        set => Volatile.Write(ref _taken, value);
    }
}

/// <summary>
/// Remembers for a short time which channels a vanished connection read, for clients whose protocol has no word for "since". Safe for all
/// threads. What it is told it may write later; what it could not keep is as if it had never been told, so nothing here fails a connection.
/// </summary>
internal interface IReaderMemory
{
    /// <summary>A live connection reads these channels now, the first of them since a moment. Told at each change, so that the node's death loses little.</summary>
    void Note(ReaderKey reader, IReadOnlyCollection<ChannelName> channels, DateTimeOffset since);

    /// <summary>A connection vanished without a goodbye.</summary>
    void Lose(ReaderKey reader, ReaderTrace trace);

    /// <summary>A connection ended as its client or an operator wished: nobody comes back for it.</summary>
    void Forget(ReaderKey reader);

    /// <summary>
    /// Takes what is known of a vanished connection of this user and protocol, the one that was lost last; nobody else gets it. Null if there
    /// is none, or if it was lost longer ago than <see cref="RealtimeOptions.ReturnWindow"/>.
    /// </summary>
    ValueTask<ReaderTrace?> ClaimAsync(string userId, string protocol, CancellationToken cancellationToken);
}
