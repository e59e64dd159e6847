namespace Tidings.Server.Publishing;

/// <summary>A post as connectors get it: published nowhere yet, or already on Tidings' own feed.</summary>
/// <param name="Url">Where it is, or will be, on this server.</param>
/// <param name="CreatedAt">When it was due: the same in each attempt.</param>
internal sealed record OutgoingPost(string Id, string Title, string Text, string Category, Uri? Url, DateTimeOffset CreatedAt, IReadOnlyList<OutgoingMedia> Media)
{
    /// <summary>The language of the text (BCP 47), if it is known.</summary>
    public string? Language { get; init; }
}

/// <summary>A file of a post. <paramref name="OpenAsync"/> gives a new stream from its beginning each time; the caller disposes of it.</summary>
internal sealed record OutgoingMedia(
    string Id, string ContentType, long Bytes, long? Width, long? Height, string Description, Func<CancellationToken, ValueTask<Stream>> OpenAsync);

/// <summary>A connected account with its secrets in clear. Lives as long as an attempt; never logged (its text is its id).</summary>
/// <param name="Secrets">What the connector itself said to keep, as JSON.</param>
internal sealed record ConnectedAccount(string Id, string UserId, string Platform, string ExternalId, string Handle, Uri BaseUrl, string Secrets)
{
    public override string ToString() => $"{Platform} account {Id}";
}

/// <summary>One attempt to publish one post to one account.</summary>
/// <param name="Key">The same in all attempts of this target and revision of the post: at most 64 letters, digits and <c>-</c>.</param>
/// <param name="Attempt">Counts from 1.</param>
/// <param name="FirstAttemptAt">When the first attempt with this key began.</param>
internal sealed record Delivery(OutgoingPost Post, ConnectedAccount Account, string Key, int Attempt, DateTimeOffset FirstAttemptAt)
{
    /// <summary>What earlier steps and attempts kept, JSON of the connector's own, at most 4,000 characters; null at first.</summary>
    public string? Progress { get; init; }

    /// <summary>
    /// Commits progress, such as the id of an uploaded file or that the first of two messages was sent, before the next step. Throws
    /// <see cref="LostClaimException"/> if another worker has taken the target over: nothing more may be sent then.
    /// </summary>
    public required Func<string, CancellationToken, Task> KeepAsync { get; init; }
}

/// <summary>This worker stood still for longer than its lease: the target is another's.</summary>
internal sealed class LostClaimException() : Exception("Another worker has this target now.");
