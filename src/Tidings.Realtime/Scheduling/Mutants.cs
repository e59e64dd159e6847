namespace Tidings.Realtime.Scheduling;

/// <summary>A mistake that could be made in the engine.</summary>
internal enum Mutant
{
    /// <summary>No mistake.</summary>
    None,

    /// <summary>An event is acknowledged before it is committed. Logs are the host's: it is the simulation's own that makes it.</summary>
    AcknowledgeBeforeCommit,

    /// <summary>A place of another epoch is taken for one of this.</summary>
    NoEpoch,

    /// <summary>Whatever is newer than the last event is taken for the next.</summary>
    AcceptGaps,

    /// <summary>What arrived during a replay is delivered before it.</summary>
    ReleaseBeforeReplay,

    /// <summary>What the reader already has is delivered again.</summary>
    KeepDuplicates,

    /// <summary>A replay does not ask which form the reader may see.</summary>
    FullFormInReplay,
}

/// <summary>
/// The mistake that the engine makes on purpose, on this thread, so that a test sees that the simulation finds it; the assertion that
/// would hide it is off meanwhile. Only in builds with MUTANTS: elsewhere there is none and the questions are not compiled.
/// </summary>
internal static class Mutants
{
#if MUTANTS
    [field: ThreadStatic]
    public static Mutant Active { get; set; }
#else
    public static Mutant Active => Mutant.None;
#endif
}
