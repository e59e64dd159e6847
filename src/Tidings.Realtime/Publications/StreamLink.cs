namespace Tidings.Realtime.Publications;

/// <summary>
/// In a channel that is kept in memory, the place of the publication that the same node published before this one. So another node sees
/// that it has missed something, although offsets are each node's own.
/// </summary>
/// <param name="PreviousOffset">Its offset on that node; 0 if this is the first.</param>
/// <param name="PreviousAge">How much earlier it was published; zero if this is the first.</param>
internal readonly record struct StreamLink(long PreviousOffset, TimeSpan PreviousAge);
