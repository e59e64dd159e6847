namespace Tidings.Protocols.EngineIo;

/// <summary>What a held poll is answered with.</summary>
internal enum PollAnswer
{
    /// <summary>What waits.</summary>
    Packets,

    /// <summary>Nothing: the client shall stop polling, or has left.</summary>
    Noop,

    /// <summary>What waits, then that the session is over.</summary>
    Close,

    /// <summary>That a WebSocket has taken over.</summary>
    Upgraded,
}

/// <summary>A poll that is being held until there is something to say.</summary>
/// <param name="isDuringUpgrade">Whether a WebSocket was about to take over when it came.</param>
internal sealed class PollWaiter(bool isDuringUpgrade)
{
    private readonly TaskCompletionSource<PollAnswer> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes with the answer.</summary>
    public Task<PollAnswer> Answer => _answer.Task;

    /// <summary>Whether a WebSocket was about to take over when it came.</summary>
    public bool IsDuringUpgrade => isDuringUpgrade;

    /// <summary>Lets it go, once.</summary>
    public void Release(PollAnswer answer) => _answer.TrySetResult(answer);
}
