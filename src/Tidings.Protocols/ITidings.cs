using Tidings.Realtime.Presence;

namespace Tidings.Protocols;

/// <summary>
/// What a host does with its channels and clients from C#: inject it wherever it is needed. Safe for all threads. A channel is named by
/// <c>kind:id</c>; a name that is malformed, or of a kind that was not added, is an <see cref="ArgumentException"/>.
/// </summary>
public interface ITidings
{
    /// <summary>How many clients are connected: WebSockets, event streams and waiting polls.</summary>
    int ConnectionCount { get; }

    /// <summary>
    /// Publishes an event. It has been given to everyone who is subscribed, and is in the channel's history, when this completes; that
    /// clients have received it is not known.
    /// </summary>
    /// <param name="channel">Where it goes.</param>
    /// <param name="eventType">The event's name: 1 to 128 printable ASCII characters without spaces.</param>
    /// <param name="data">What it says, written as the host's minimal APIs would write it; at most 64 KiB of JSON.</param>
    /// <param name="id">
    /// An id of yours, at most 128 printable ASCII characters. A client applies an id at most once in a channel, so an event may be repeated
    /// with the same. Without one each event gets its own.
    /// </param>
    /// <param name="exceptConnectionId">A connection that does not get it live: the <c>connectionId</c> that a client was given and sent along.</param>
    /// <param name="cancellationToken">Gives up before it is published.</param>
    /// <exception cref="ArgumentException">A name, the id or the data is not as above, or the event's name belongs to the engine.</exception>
    ValueTask<PublishedEvent> PublishAsync<T>(
        string channel, string eventType, T data, string? id = null, string? exceptConnectionId = null, CancellationToken cancellationToken = default);

    /// <summary>Tells who is in a channel: the count, and at most as many members as <c>Limits.ListedMembers</c> says.</summary>
    ValueTask<PresenceList> ReadPresenceAsync(string channel, CancellationToken cancellationToken = default);

    /// <summary>Tells how many subscriptions a channel has.</summary>
    Task<int> CountSubscribersAsync(string channel);

    /// <summary>
    /// Ends a user's subscriptions to a channel, or everybody's if <paramref name="userId"/> is null; the clients are told
    /// <c>access_revoked</c>. When it completes nothing more is sent to them. To be called after your rules have changed: whoever they still allow may subscribe again.
    /// </summary>
    /// <returns>How many there were.</returns>
    Task<int> RevokeAsync(string channel, string? userId = null);

    /// <summary>
    /// Closes a user's connections with 4403, for example when the user signs out or is locked. To be called after your authentication refuses them, since
    /// their clients may connect again.
    /// </summary>
    /// <returns>How many there were.</returns>
    int Disconnect(string userId);

    /// <summary>To be called after what an <see cref="IMemberInfo"/> tells of a user has changed: it is read again for those who are shown.</summary>
    void RereadMember(string userId);
}

/// <summary>What became of an event.</summary>
/// <param name="Id">Its id.</param>
/// <param name="Position">Its place in the channel, from which a client can resume; null if the channel has no history.</param>
public readonly record struct PublishedEvent(string Id, string? Position);
