namespace Tidings.Server.Features.Creators;

/// <summary>
/// Tells that what others see of a user who is present has changed, or whether they see them at all. It is told on the node that made
/// the change. Safe for all threads.
/// </summary>
internal sealed class MemberChanges
{
    /// <summary>Raised with the user's id when the change is on disk, on the thread that made it.</summary>
    public event Action<string>? Changed;

    /// <summary>Tells of a change.</summary>
    public void Tell(string userId) => Changed?.Invoke(userId);
}
