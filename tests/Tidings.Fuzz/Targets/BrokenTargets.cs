namespace Tidings.Fuzz;

/// <summary>Parsers that are broken on purpose, so that a test sees that it is found.</summary>
internal static class BrokenTargets
{
    private static byte[] _kept = [];

    public static IReadOnlyList<Target> List { get; } =
    [
        new("throws", ["("], static input => WrongAnswerException.Unless(!input.Contains((byte)'('), "a bracket")),
        new("overflows", ["[["], static input => Nest(input, 0)),
        new("allocates", ["("], static input => _kept = new byte[input.Contains((byte)'(') ? 16 * 1024 * 1024 : 1]),
        new("dawdles", ["("], static input => Dawdle(input.Contains((byte)'(') ? 200 : 0)),
        new("squares", ["("], static input => Square(input)),
    ];

    public static Target Find(string name) => List.First(target => target.Name == name);

    private static int Nest(byte[] input, int depth) =>
        depth > 0 && !input.AsSpan().Contains("[["u8[0]) ? 0 : input.AsSpan().IndexOf("[["u8) < 0 ? 0 : 1 + Nest(input, depth + 1);

    private static void Dawdle(int milliseconds)
    {
        var until = ThreadClock.Now + TimeSpan.FromMilliseconds(milliseconds);
        while (ThreadClock.Now < until)
        {
        }
    }

    private static void Square(byte[] input)
    {
        var equal = 0;
        for (var one = 0; one < input.Length; one += 4)
            for (var other = 0; other < input.Length; other += 64)
                if (input[one] == input[other]) equal++;
        _kept = new byte[equal == 0 ? 1 : 2];
    }
}
