namespace Tidings.Testing;

/// <summary>Waits for a condition with a deadline. Nothing in these tests waits for a time that somebody guessed.</summary>
public static class Eventually
{
    /// <summary>The deadline where a test names none: long, because a loaded machine is not a fault.</summary>
    public static TimeSpan Patience { get; } = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Waits until the condition holds.</summary>
    /// <param name="condition">Asked again and again.</param>
    /// <param name="what">What was waited for; the failure says it.</param>
    /// <param name="within">The deadline.</param>
    public static Task HoldsAsync(Func<bool> condition, string what, TimeSpan? within = null) =>
        HoldsAsync(() => Task.FromResult(condition()), what, within);

    /// <inheritdoc cref="HoldsAsync(Func{bool}, string, TimeSpan?)" />
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, TimeSpan? within = null)
    {
        var deadline = Deadline.In(within ?? Patience);
        while (!await condition())
        {
            if (deadline.IsOver) throw new TimeoutException($"Not within {deadline.Length.TotalSeconds:0.#} s: {what}");
            await Task.Delay(Pause);
        }
    }

    /// <summary>Waits until a count is reached. The failure says how far it got.</summary>
    public static async Task ReachesAsync(Func<int> count, int goal, string what, TimeSpan? within = null)
    {
        try
        {
            await HoldsAsync(() => count() >= goal, what, within);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Only {count()} of {goal} {what} within {(within ?? Patience).TotalSeconds:0.#} s");
        }
    }
}

/// <summary>A point on the monotonic clock.</summary>
public readonly record struct Deadline(long StartedAt, TimeSpan Length)
{
    /// <summary>Whether the time is up.</summary>
    public bool IsOver => TimeProvider.System.GetElapsedTime(StartedAt) >= Length;

    /// <summary>What is left of it, never negative.</summary>
    public TimeSpan Left => Length - TimeProvider.System.GetElapsedTime(StartedAt) is { Ticks: > 0 } left ? left : TimeSpan.Zero;

    /// <summary>A deadline from now on.</summary>
    public static Deadline In(TimeSpan length) => new(TimeProvider.System.GetTimestamp(), length);
}
