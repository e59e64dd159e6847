using System.Buffers.Binary;
using System.Globalization;
using System.Text;

namespace Tidings.Fuzz;

/// <summary>
/// Makes damaged input of good examples: bits, bytes, pieces of other examples, words that mean something to the parser, lengths that
/// are wrong, repetitions. The same seed makes the same inputs.
/// </summary>
internal sealed class Mutator
{
    /// <summary>The longest input that is made.</summary>
    public const int MaxLength = 80 * 1024;

    private const int PoolLimit = 256;
    private const string Marks = "{}[]\",:\\\0\u007F\r\n%&=.+-_~ ";

    private static readonly long[] Interesting =
        [0, 1, -1, 7, 125, 126, 127, 128, 255, 256, 32_767, 65_535, 65_536, int.MaxValue, int.MinValue, uint.MaxValue, long.MaxValue, long.MinValue];

    private readonly Random _random;
    private readonly IReadOnlyList<byte[]> _corpus;
    private readonly byte[][] _words;
    private readonly List<byte[]> _pool = [];
    private readonly Queue<byte[]> _first;

    /// <summary>Makes a mutator.</summary>
    /// <param name="seed">Of everything random.</param>
    /// <param name="corpus">Good examples, and what has failed before; at least one.</param>
    /// <param name="words">What means something to the parser.</param>
    public Mutator(int seed, IReadOnlyList<byte[]> corpus, IEnumerable<string> words)
    {
        _random = new Random(seed);
        _corpus = corpus;
        _words = [.. words.Select(Encoding.UTF8.GetBytes)];
        _first = new Queue<byte[]>(corpus.Concat(corpus.SelectMany(Truncations)));
    }

    /// <summary>The next input: first each example whole, then cut off at each byte, then damaged ones without end.</summary>
    public byte[] Next()
    {
        if (_first.TryDequeue(out var first)) return first;

        var bytes = new List<byte>(Parent());
        for (var changes = 1 << _random.Next(5); changes > 0; changes--)
        {
            Change(bytes);
            if (bytes.Count > MaxLength) bytes.RemoveRange(MaxLength, bytes.Count - MaxLength);
        }

        byte[] input = [.. bytes];
        if (_random.Next(16) == 0) Keep(input);
        return input;
    }

    /// <summary>A long input of which a shorter one is the same in kind: a piece of an example, again and again.</summary>
    /// <returns>One that has about as many bytes as asked for.</returns>
    public Func<int, byte[]> NextScalable()
    {
        var parent = Parent();
        var from = _random.Next(parent.Length + 1);
        var until = from + _random.Next(parent.Length - from + 1);
        byte[] piece = until > from && _random.Next(3) > 0 ? parent[from..until] : Word();
        if (piece.Length == 0) piece = [(byte)'['];
        return length =>
        {
            var bytes = new List<byte>(parent[..from]);
            while (bytes.Count < length) bytes.AddRange(piece);
            bytes.AddRange(parent[until..]);
            return [.. bytes];
        };
    }

    /// <summary>Gives the mutated inputs a say: what they led to is damaged further.</summary>
    private void Keep(byte[] input)
    {
        if (_pool.Count < PoolLimit) _pool.Add(input);
        else _pool[_random.Next(PoolLimit)] = input;
    }

    private byte[] Parent() => _pool.Count > 0 && _random.Next(3) == 0 ? _pool[_random.Next(_pool.Count)] : _corpus[_random.Next(_corpus.Count)];

    private byte[] Word() => _words.Length > 0 ? _words[_random.Next(_words.Length)] : [(byte)_random.Next(256)];

    private void Change(List<byte> bytes)
    {
        var at = _random.Next(bytes.Count + 1);
        var length = _random.Next(Math.Min(bytes.Count - at, 64) + 1);
        switch (_random.Next(12))
        {
            case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << _random.Next(8)); break;
            case 1 when at < bytes.Count: bytes[at] = (byte)_random.Next(256); break;
            case 2: bytes.RemoveRange(at, length); break;
            case 3: bytes.RemoveRange(at, bytes.Count - at); break;
            case 4: bytes.InsertRange(at, bytes.GetRange(at, length)); break;
            case 5: Splice(bytes, at); break;
            case 6: Overwrite(bytes, at, Word()); break;
            case 7: EditLength(bytes, at); break;
            case 8: EditNumber(bytes, at); break;
            case 9: Repeat(bytes, at, length); break;
            case 10: bytes.Insert(at, (byte)Marks[_random.Next(Marks.Length)]); break;
            default: bytes.InsertRange(at, Word()); break;
        }
    }

    private void Splice(List<byte> bytes, int at)
    {
        var other = Parent();
        var from = _random.Next(other.Length + 1);
        bytes.InsertRange(at, other[from..(from + _random.Next(other.Length - from + 1))]);
    }

    /// <summary>A number in binary, as lengths and codes are: of one, two, four or eight bytes, either way round.</summary>
    private void EditLength(List<byte> bytes, int at)
    {
        Span<byte> number = stackalloc byte[sizeof(long)];
        var width = 1 << _random.Next(4);
        var value = Interesting[_random.Next(Interesting.Length)];
        if (_random.Next(2) == 0) BinaryPrimitives.WriteInt64LittleEndian(number, value);
        else BinaryPrimitives.WriteInt64BigEndian(number, value << (8 * (sizeof(long) - width)));
        Overwrite(bytes, at, number[..width]);
    }

    /// <summary>A number in digits.</summary>
    private void EditNumber(List<byte> bytes, int at)
    {
        var from = bytes.FindIndex(Math.Min(at, bytes.Count), static value => value is >= (byte)'0' and <= (byte)'9');
        if (from < 0) return;
        var until = from;
        while (until < bytes.Count && bytes[until] is >= (byte)'0' and <= (byte)'9') until++;
        bytes.RemoveRange(from, until - from);
        bytes.InsertRange(from, Encoding.ASCII.GetBytes(Interesting[_random.Next(Interesting.Length)].ToString(CultureInfo.InvariantCulture)));
    }

    private void Repeat(List<byte> bytes, int at, int length)
    {
        byte[] piece = length > 0 ? [.. bytes.GetRange(at, length)] : Word();
        for (var times = 1 << _random.Next(11); times > 0 && bytes.Count < MaxLength; times--) bytes.InsertRange(at, piece);
    }

    private static void Overwrite(List<byte> bytes, int at, ReadOnlySpan<byte> with)
    {
        for (var index = 0; index < with.Length; index++)
        {
            if (at + index < bytes.Count) bytes[at + index] = with[index];
            else bytes.Add(with[index]);
        }
    }

    private static IEnumerable<byte[]> Truncations(byte[] example)
    {
        for (var length = 0; length < Math.Min(example.Length, 2_048); length++) yield return example[..length];
    }
}
