namespace Tidings.Server.Publishing;

/// <summary>
/// One platform to which posts are published: connects accounts, says what a post may be there, sends one post to one account, and answers
/// afterwards whether it is there. One instance for all accounts and threads. It holds no state of a delivery: what a retry needs to know is in
/// <see cref="Delivery.Progress"/>.
/// </summary>
/// <remarks>
/// No method throws for what a platform, its network or a user does wrong: that is an answer. What it throws counts as
/// <see cref="SendResult.Unknown"/> if it came out of <see cref="SendAsync"/>. Secrets are in no answer's texts.
/// </remarks>
internal interface IPublishingConnector
{
    /// <summary>Its name in requests, events and metrics, such as <c>mastodon</c>.</summary>
    string Platform { get; }

    /// <summary>What may be done after an attempt of which nobody knows how it ended.</summary>
    Repeats Repeats { get; }

    /// <summary>Checks credentials against the platform and says what is kept of them.</summary>
    Task<ConnectAnswer> ConnectAsync(ConnectRequest request, CancellationToken cancellationToken);

    /// <summary>New tokens for an account whose tokens expire. Called under the account's lock, ahead of time and after <see cref="SendResult.AuthRefused"/>.</summary>
    Task<RenewAnswer> RenewAsync(ConnectedAccount account, CancellationToken cancellationToken);

    /// <summary>What keeps this post from this account, a sentence each; none if it may be sent. Asked when a post is scheduled and before each attempt.</summary>
    ValueTask<IReadOnlyList<string>> CheckAsync(OutgoingPost post, ConnectedAccount account, CancellationToken cancellationToken);

    /// <summary>Sends the post. The attempt is already in the database as begun.</summary>
    Task<SendOutcome> SendAsync(Delivery delivery, CancellationToken cancellationToken);

    /// <summary>Whether the post of an attempt with an unknown end is there.</summary>
    Task<Found> FindAsync(Delivery delivery, CancellationToken cancellationToken);
}

/// <summary>How safe it is to send the same delivery again (the classes A, B and C of docs/publishing.md).</summary>
internal enum Repeats
{
    /// <summary>C: never, unless the attempt provably sent nothing.</summary>
    Never,

    /// <summary>B: with the same key, for less than an hour after the first attempt; then only after <see cref="IPublishingConnector.FindAsync"/> says that it is not there.</summary>
    WhileKeyIsKept,

    /// <summary>A: always, the key names the post.</summary>
    Always,
}
