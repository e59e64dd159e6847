using Tidings.Realtime.Connections;

namespace Tidings.Server.ChannelAccess;

/// <summary>What a signed-in reader may see beyond the open form: for now what the reader wrote.</summary>
internal sealed class ReaderRights(string userId) : IReaderRights
{
    private const string AuthorPrefix = "author:";

    /// <summary>The right to see in full what a user wrote: that user's own.</summary>
    public static string Author(string userId) => AuthorPrefix + userId;

    /// <inheritdoc />
    public bool Holds(string right) =>
        right.StartsWith(AuthorPrefix, StringComparison.Ordinal) && right.AsSpan(AuthorPrefix.Length).SequenceEqual(userId);
}
