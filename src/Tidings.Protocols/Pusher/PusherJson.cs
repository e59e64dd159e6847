using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Protocols.WebSockets;

namespace Tidings.Protocols.Pusher;

/// <summary>The server's messages as frames, in the one form that every library of Pusher's accepts: <c>data</c> is JSON in a string.</summary>
internal static class PusherJson
{
    private static readonly JsonWriterOptions Relaxed = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    /// <summary>The answer to a ping.</summary>
    public static ReadOnlyMemory<byte> Pong { get; } = FrameWriter.Text("""{"event":"pusher:pong","data":"{}"}"""u8);

    /// <summary>An event whose data is some JSON.</summary>
    public static byte[] Event(string name, string? channel, ReadOnlySpan<byte> data)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("event"u8, name);
        json.WriteString("data"u8, data);
        if (channel is not null) json.WriteString("channel"u8, channel);
        json.WriteEndObject();
        json.Flush();
        return FrameWriter.Text(scratch.Bytes.WrittenSpan);
    }

    /// <summary>An event whose data is an object.</summary>
    public static byte[] Event(string name, string? channel, Action<Utf8JsonWriter> write) => Event(name, channel, Object(write));

    /// <summary>The first message of a connection.</summary>
    public static byte[] Established(string socketId, TimeSpan activityTimeout) => Event("pusher:connection_established", null, json =>
    {
        json.WriteString("socket_id"u8, socketId);
        json.WriteNumber("activity_timeout"u8, Math.Max(1, (int)activityTimeout.TotalSeconds));
    });

    /// <summary>An error: its data is an object.</summary>
    /// <param name="code">The code, or null; never null before the connection is established.</param>
    /// <param name="message">What is wrong. Nothing of a signature or a secret.</param>
    public static byte[] Error(int? code, string message)
    {
        var scratch = JsonScratch.Take();
        var json = scratch.Writer;
        json.WriteStartObject();
        json.WriteString("event"u8, "pusher:error"u8);
        json.WriteStartObject("data"u8);
        if (code is { } number) json.WriteNumber("code"u8, number);
        else json.WriteNull("code"u8);
        json.WriteString("message"u8, message);
        json.WriteEndObject();
        json.WriteEndObject();
        json.Flush();
        return FrameWriter.Text(scratch.Bytes.WrittenSpan);
    }

    /// <summary>Why a client does not get a channel.</summary>
    public static byte[] SubscriptionError(string channel, string type, string error, int status) => Event("pusher:subscription_error", channel, json =>
    {
        json.WriteString("type"u8, type);
        json.WriteString("error"u8, error);
        json.WriteNumber("status"u8, status);
    });

    /// <summary>The JSON of an object.</summary>
    public static ReadOnlySpan<byte> Object(Action<Utf8JsonWriter> write)
    {
        var bytes = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(bytes, Relaxed))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return bytes.WrittenSpan;
    }

    /// <summary>The start of a message up to the name of its channel, which <see cref="End"/> follows.</summary>
    public static void WriteStart(IBufferWriter<byte> to, string name)
    {
        to.Write("{\"event\":\""u8);
        to.Write(JsonEncodedText.Encode(name, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);
        to.Write("\",\"data\":"u8);
    }

    /// <summary>Writes JSON as the inside of a string, without the quotes around it.</summary>
    public static void WriteInString(IBufferWriter<byte> to, ReadOnlySpan<byte> json) =>
        to.Write(JsonEncodedText.Encode(json, JavaScriptEncoder.UnsafeRelaxedJsonEscaping).EncodedUtf8Bytes);

    /// <summary>What comes between the data and the channel's name.</summary>
    public static ReadOnlySpan<byte> BeforeChannel => ",\"channel\":\""u8;

    /// <summary>What comes after the channel's name.</summary>
    public static ReadOnlySpan<byte> End => "\"}"u8;
}
