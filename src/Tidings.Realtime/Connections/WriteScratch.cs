using System.Runtime.InteropServices;

namespace Tidings.Realtime.Connections;

/// <summary>
/// One shard's room for bytes that are about to be written: where several waiting events are laid side by side, so that they go out in
/// one write, and where the few bytes that differ from reader to reader are made. Shard only; all of it is free again after a batch.
/// </summary>
internal sealed class WriteScratch
{
    /// <summary>The most bytes of one write.</summary>
    public const int LargestWrite = 256 * 1024;

    private const int RoomForHeads = 256 * 1024;

    private readonly List<byte[]> _heads = [GC.AllocateUninitializedArray<byte>(RoomForHeads)];
    private readonly List<ReadOnlyMemory<byte>> _joined = [];
    private readonly Stack<List<ReadOnlyMemory<byte>>> _lists = new();
    private byte[] _side = GC.AllocateUninitializedArray<byte>(16 * 1024);
    private int _sideLength;
    private int _headsLength;

    /// <summary>Room for the head of one reader's message, good until the batch ends.</summary>
    public Memory<byte> Take(int length)
    {
        if (length > _heads[^1].Length - _headsLength)
        {
            _heads.Add(GC.AllocateUninitializedArray<byte>(Math.Max(length, RoomForHeads)));
            _headsLength = 0;
        }

        var room = _heads[^1].AsMemory(_headsLength, length);
        _headsLength += length;
        return room;
    }

    /// <summary>Whether bytes lie in what <see cref="Take"/> gave.</summary>
    public bool Holds(ReadOnlyMemory<byte> bytes) => MemoryMarshal.TryGetArray(bytes, out var segment) && _heads.Contains(segment.Array!);

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

    /// <summary>The batch is over: nothing refers to what was taken any more.</summary>
    public void Reset()
    {
        if (_heads.Count > 1) _heads.RemoveRange(1, _heads.Count - 1);
        _headsLength = 0;
        _joined.Clear();
    }

    private bool IsJoined(List<ReadOnlyMemory<byte>> pieces)
    {
        if (_joined.Count != pieces.Count) return false;
        for (var index = 0; index < pieces.Count; index++)
            if (!pieces[index].Equals(_joined[index])) return false;
        return true;
    }
}
