namespace Tidings.Realtime.Publications;

/// <summary>
/// The place of a publication among those that one node has published to one channel that is kept in memory. Offsets there are each
/// node's own; by this another node sees that it has missed something.
/// </summary>
/// <param name="Stream">The node's, drawn at its start: never 0.</param>
/// <param name="Number">Counts from 1 in each channel.</param>
/// <param name="PreviousAge">How much earlier the one before it was published; zero if this is the first.</param>
internal readonly record struct StreamPlace(ulong Stream, long Number, TimeSpan PreviousAge);
