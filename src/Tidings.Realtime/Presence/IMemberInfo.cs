namespace Tidings.Realtime.Presence;

/// <summary>Tells what others see of a user who is in a channel.</summary>
public interface IMemberInfo
{
    /// <summary>Reads it for some users at once. Who is not in the answer is a member without info. Any thread; it may ask a database.</summary>
    ValueTask<IReadOnlyDictionary<string, MemberInfo>> ReadAsync(IReadOnlyCollection<string> userIds, CancellationToken cancellationToken);
}

/// <summary>What others see of a user.</summary>
/// <param name="Info">UTF-8 JSON text on one line, with what everybody may see who may subscribe to a channel; empty for none.</param>
/// <param name="ShowsOnline">Whether the user wants to be in <see cref="RealtimeOptions.OnlineChannel"/>.</param>
public sealed record MemberInfo(ReadOnlyMemory<byte> Info, bool ShowsOnline)
{
    /// <summary>Nothing but the id.</summary>
    public static MemberInfo None { get; } = new(default, ShowsOnline: true);
}

/// <summary>Nobody has any info.</summary>
internal sealed class NoMemberInfo : IMemberInfo
{
    public static NoMemberInfo Instance { get; } = new();

    public ValueTask<IReadOnlyDictionary<string, MemberInfo>> ReadAsync(IReadOnlyCollection<string> userIds, CancellationToken cancellationToken) =>
        ValueTask.FromResult<IReadOnlyDictionary<string, MemberInfo>>(new Dictionary<string, MemberInfo>());
}
