using System.Runtime.InteropServices;

namespace Tidings.Realtime.Connections;

/// <summary>
/// One shard's room for bytes that are about to be written: where several waiting events are laid side by side, so that they go out in
/// one write, and where messages are made that differ from reader to reader. Shard only; all of it is free again when they are written.
/// </summary>
internal sealed class WriteScratch
{
    /// <summary>The most bytes of one write.</summary>
    public const int LargestWrite = 256 * 1024;

    private const int RoomSize = 256 * 1024;

    private readonly List<byte[]> _rooms = [GC.AllocateUninitializedArray<byte>(RoomSize)];
    private readonly List<ReadOnlyMemory<byte>> _joined = [];
    private readonly Stack<List<ReadOnlyMemory<byte>>> _lists = new();
    private byte[] _side = GC.AllocateUninitializedArray<byte>(16 * 1024);
    private int _sideLength;
    private int _taken;

    /// <summary>Whether so much has been taken that what was made should be written before more is.</summary>
    public bool IsFull => _rooms.Count > 1;

    /// <summary>Makes a piece longer by what follows it in the room, so that both are written from where they lie.</summary>
    /// <param name="piece">The piece, alone.</param>
    /// <param name="bytes">What was taken last.</param>
    /// <param name="longest">The longest that a piece may be.</param>
    /// <returns>False if it does not follow.</returns>
    public static bool TryGrow(Span<ReadOnlyMemory<byte>> piece, ReadOnlyMemory<byte> bytes, int longest)
    {
        if (piece[0].Length + bytes.Length > longest) return false;
        if (!MemoryMarshal.TryGetArray(piece[0], out var known) || !MemoryMarshal.TryGetArray(bytes, out var added)) return false;
        if (known.Array != added.Array || known.Offset + known.Count != added.Offset) return false;
        piece[0] = known.Array.AsMemory(known.Offset, known.Count + added.Count);
        return true;
    }

    /// <summary>Room for one reader's message, good until the next <see cref="Reset"/>.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > _rooms[^1].Length - _taken)
        {
            _rooms.Add(GC.AllocateUninitializedArray<byte>(Math.Max(length, RoomSize)));
            _taken = 0;
        }

        var room = _rooms[^1].AsMemory(_taken, length);
        _taken += length;
        return room;
    }

    /// <summary>Whether bytes lie in what <see cref="Take"/> gave.</summary>
    public bool Holds(ReadOnlyMemory<byte> bytes) => MemoryMarshal.TryGetArray(bytes, out var segment) && _rooms.Contains(segment.Array!);

    /// <summary>
    /// The first pieces side by side, as many as go into one write. Connections that wait for the same events, as the readers of one
    /// channel do, share the work: the second gets what was laid out for the first.
    /// </summary>
    /// <param name="pieces">What waits, at least one piece.</param>
    /// <param name="count">How many of the pieces are in it.</param>
    /// <returns>The bytes, good until the next call.</returns>
    public ReadOnlySpan<byte> Join(List<ReadOnlyMemory<byte>> pieces, out int count)
    {
        count = 1;
        if (pieces.Count == 1 || pieces[0].Length >= LargestWrite) return pieces[0].Span;
        if (IsJoined(pieces))
        {
            count = _joined.Count;
            return _side.AsSpan(0, _sideLength);
        }

        var length = pieces[0].Length;
        while (count < pieces.Count && length + pieces[count].Length <= LargestWrite) length += pieces[count++].Length;

        _joined.Clear();
        _sideLength = length;
        if (_side.Length < length) _side = GC.AllocateUninitializedArray<byte>(Math.Min(LargestWrite, Math.Max(length, _side.Length * 2)));
        var at = 0;
        for (var index = 0; index < count; index++)
        {
            var piece = pieces[index];
            piece.Span.CopyTo(_side.AsSpan(at));
            at += piece.Length;
            _joined.Add(piece);
        }

        return _side.AsSpan(0, length);
    }

    /// <summary>An empty list. Connections for which nothing waits hold none.</summary>
    public List<ReadOnlyMemory<byte>> TakeList() => _lists.TryPop(out var list) ? list : [];

    /// <summary>Takes a list back.</summary>
    public void Return(List<ReadOnlyMemory<byte>> list)
    {
        const int mostLists = 64, largestList = 1024;
        list.Clear();
        if (_lists.Count < mostLists && list.Capacity <= largestList) _lists.Push(list);
    }

    /// <summary>Everything is written or kept elsewhere: nothing refers to what was taken any more.</summary>
    public void Reset()
    {
        if (_taken == 0) return;
        if (_rooms.Count > 1) _rooms.RemoveRange(1, _rooms.Count - 1);
        _taken = 0;
        _joined.Clear(); // other bytes may soon lie where one of its pieces was
    }

    /// <summary>The batch is over: what was laid side by side will not be asked for again.</summary>
    public void Forget() => _joined.Clear();

    private bool IsJoined(List<ReadOnlyMemory<byte>> pieces)
    {
        if (_joined.Count != pieces.Count) return false;
        for (var index = 0; index < pieces.Count; index++)
            if (!pieces[index].Equals(_joined[index])) return false;
        return true;
    }
}
