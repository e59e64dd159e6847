using System.Globalization;
using System.Text;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>What a value is.</summary>
internal enum RespKind
{
    /// <summary>Nothing.</summary>
    Null,

    /// <summary>A whole number, or a boolean as 1 or 0.</summary>
    Number,

    /// <summary>Bytes.</summary>
    Bytes,

    /// <summary>Why a command was refused.</summary>
    Error,

    /// <summary>Values; of a map each key and its value, one after the other.</summary>
    Items,

    /// <summary>Values that come without having been asked for.</summary>
    Push,
}

/// <summary>One value of the Redis protocol, version 3.</summary>
internal sealed record RespValue(RespKind Kind)
{
    public long Number { get; init; }

    public ReadOnlyMemory<byte> Bytes { get; init; }

    public IReadOnlyList<RespValue> Items { get; init; } = [];

    /// <summary>The bytes as text.</summary>
    public string Text => Encoding.UTF8.GetString(Bytes.Span);

    public override string ToString() => Kind switch
    {
        RespKind.Null => "null",
        RespKind.Number => Number.ToString(CultureInfo.InvariantCulture),
        RespKind.Items or RespKind.Push => $"[{string.Join(", ", Items)}]",
        _ => Text,
    };
}
