using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tidings.Protocols.Native;

/// <summary>
/// A place to build one JSON text, one per thread, so that only the finished text is allocated. What is read from it is good until
/// the thread asks for it again.
/// </summary>
internal sealed class JsonScratch
{
    private const int LargestKept = 64 * 1024;

    // Quotes, backslashes and control characters are escaped; the texts are application/json, never part of a page.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    [ThreadStatic]
    private static JsonScratch? _current;

    private JsonScratch()
    {
        Bytes = new ArrayBufferWriter<byte>(1024);
        Writer = new Utf8JsonWriter(Bytes, Options);
    }

    /// <summary>The bytes so far, once <see cref="Writer"/> is flushed.</summary>
    public ArrayBufferWriter<byte> Bytes { get; }

    /// <summary>Writes to <see cref="Bytes"/>.</summary>
    public Utf8JsonWriter Writer { get; }

    /// <summary>This thread's, emptied.</summary>
    public static JsonScratch Take()
    {
        if (_current is not { } scratch || scratch.Bytes.Capacity > LargestKept) return _current = new JsonScratch();
        scratch.Bytes.ResetWrittenCount();
        scratch.Writer.Reset(scratch.Bytes);
        return scratch;
    }
}
