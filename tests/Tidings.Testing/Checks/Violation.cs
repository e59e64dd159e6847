namespace Tidings.Testing.Checks;

/// <summary>A promise that was broken.</summary>
/// <param name="Invariant">Which one: <c>I1</c> … as in the list of invariants, or <c>truth</c> for something that nobody did.</param>
/// <param name="What">What was seen, and where.</param>
public sealed record Violation(string Invariant, string What)
{
    /// <inheritdoc />
    public override string ToString() => $"{Invariant}: {What}";
}
