namespace Tidings.Server.Storage;

/// <summary>A row of <c>events</c> as it lies in the database, before anybody has looked whether it can be an event.</summary>
/// <param name="Sequence">Its number.</param>
/// <param name="Place">Its place in the whole log; on SQLite its number.</param>
/// <param name="Offset">Its place in its channel.</param>
/// <param name="CreatedAt">Unix milliseconds.</param>
internal readonly record struct StoredEvent(
    long Sequence,
    long Place,
    long Offset,
    long CreatedAt,
    string Id,
    string Type,
    byte[] Payload,
    byte[]? FullPayload,
    string? FullNeeds,
    long? Effect,
    string? EffectTarget,
    string? ExcludedConnection);
