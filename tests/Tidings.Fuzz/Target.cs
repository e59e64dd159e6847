namespace Tidings.Fuzz;

/// <summary>A parser under attack.</summary>
/// <param name="Name">Its name, and its folder of the corpus.</param>
/// <param name="Words">What means something to it.</param>
/// <param name="Run">
/// Parses an input and checks what comes out of it. Returns normally for whatever the parser may say of it, and throws when the parser
/// throws what it does not declare or says something that is wrong.
/// </param>
internal sealed record Target(string Name, IReadOnlyList<string> Words, Action<byte[]> Run);

/// <summary>A parser said something that is wrong.</summary>
internal sealed class WrongAnswerException(string message) : Exception(message)
{
    /// <summary>Throws unless something holds.</summary>
    public static void Unless(bool holds, string otherwise)
    {
        if (!holds) throw new WrongAnswerException(otherwise);
    }
}
