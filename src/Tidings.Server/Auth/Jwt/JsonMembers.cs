using System.Text.Json;
using System.Text.Unicode;

namespace Tidings.Server.Auth.Jwt;

/// <summary>
/// Walks the members of one JSON object strictly: valid UTF-8, no member twice (however its name is escaped), at most 64 members and
/// eight levels, nothing after the object. Breaking a rule throws <see cref="JsonException"/>. Allocates nothing.
/// </summary>
internal ref struct JsonMembers
{
    private const int MaxDepth = 8;
    private const int MaxMembers = 64;

    private readonly Span<byte> _scratch;
    private readonly Span<int> _ends;
    private Utf8JsonReader _reader;
    private int _count;

    /// <summary>Opens the object.</summary>
    /// <param name="json">The object's text.</param>
    /// <param name="scratch">Room for the names seen: as long as <paramref name="json"/>.</param>
    /// <param name="ends">Room for 64 numbers.</param>
    public JsonMembers(ReadOnlySpan<byte> json, Span<byte> scratch, Span<int> ends)
    {
        if (!Utf8.IsValid(json)) throw new JsonException("Not UTF-8.");
        _scratch = scratch;
        _ends = ends[..MaxMembers];
        _reader = new Utf8JsonReader(json, new JsonReaderOptions { MaxDepth = MaxDepth });
        if (!_reader.Read() || _reader.TokenType != JsonTokenType.StartObject) throw new JsonException("Not an object.");
    }

    /// <summary>The reader, at the value of the member.</summary>
    [System.Diagnostics.CodeAnalysis.UnscopedRef]
    public ref Utf8JsonReader Value => ref _reader;

    /// <summary>The unescaped name of the member.</summary>
    public readonly ReadOnlySpan<byte> Name => _scratch[Start(_count - 1).._ends[_count - 1]];

    /// <summary>
    /// Goes to the value of the next member; false at the end, when the whole text has been read. The value before must have been left as it
    /// was or skipped.
    /// </summary>
    public bool MoveNext()
    {
        if (_count > 0 && !_reader.TrySkip()) throw new JsonException("Cut off.");
        if (!_reader.Read()) throw new JsonException("Cut off.");
        if (_reader.TokenType == JsonTokenType.EndObject)
            return _reader.Read();   // throws if something follows the object

        if (_count == MaxMembers) throw new JsonException("Too many members.");
        var start = Start(_count);
        _ends[_count] = start + _reader.CopyString(_scratch[start..]);
        _count++;
        RefuseDuplicate();
        return _reader.Read();
    }

    private readonly void RefuseDuplicate()
    {
        var name = Name;
        for (var i = 0; i < _count - 1; i++)
            if (name.SequenceEqual(_scratch[Start(i).._ends[i]])) throw new JsonException("A member is there twice.");
    }

    private readonly int Start(int index) => index == 0 ? 0 : _ends[index - 1];
}
