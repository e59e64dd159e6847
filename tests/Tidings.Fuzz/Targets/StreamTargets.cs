using System.Buffers;
using System.Text;
using Microsoft.AspNetCore.Http;
using Tidings.Protocols.Sse;
using Tidings.Protocols.Streams;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>Event streams and polls: what they are asked, and what they write.</summary>
internal static class StreamTargets
{
    private const int MostBytes = 16 * 1024;

    public static IReadOnlyList<Target> List { get; } =
    [
        new("stream-query", ["?channels=", "&since=", "&positions=", "&channels=", "room:a", "post:7", ",", "%2C", "%00", "%", "\n", "AQ"], Query),
        new("sse", ["\n", "\r\n", "\r", "data: ", "event: ", "id: ", "\n\n", ":", "\0", "\u2028", "\u0085"], Lines),
    ];

    /// <summary>The first line is the query, the second <c>Last-Event-ID</c>.</summary>
    private static void Query(byte[] input)
    {
        var lines = Encoding.Latin1.GetString(input).Split('\n', 2);
        var request = new DefaultHttpContext().Request;
        request.QueryString = new QueryString(lines[0].StartsWith('?') ? lines[0] : $"?{lines[0]}");
        if (lines.Length > 1) request.Headers["Last-Event-ID"] = lines[1];
        if (StreamRequest.TryRead(request, NameTargets.Catalog, out var read) is not null) return;
        Unless(read!.Channels.Count is > 0 and <= StreamToken.MaxChannels, "too many channels");
        Unless(read.Channels.Select(static channel => channel.Name).Distinct().Count() == read.Channels.Count, "a channel twice");
    }

    /// <summary>Whatever is in a name and in data, a browser reads one event, with that data. They are split at the first NUL.</summary>
    private static void Lines(byte[] input)
    {
        if (input.Length > MostBytes) input = input[..MostBytes]; // the reader below is no model of thrift
        var split = Array.IndexOf(input, (byte)0);
        var name = Encoding.UTF8.GetString(input.AsSpan(0, Math.Max(0, split)));
        var data = Encoding.UTF8.GetString(input.AsSpan(split + 1));

        var written = new ArrayBufferWriter<byte>();
        SseWriter.WriteEvent(written, name);
        SseWriter.WriteData(written, Encoding.UTF8.GetBytes(data));
        SseWriter.WriteIdAndEnd(written, "AQ"u8);

        var events = Read(Encoding.UTF8.GetString(written.WrittenSpan));
        Unless(events.Count == 1, $"{events.Count} events instead of one");
        Unless(events[0].Data == data.ReplaceLineEndingsOfStreams(), "other data");
        Unless(events[0].Id == "AQ" && (events[0].Name.Length == 0 || events[0].Name == name), "a forged name or id");
    }

    private static string ReplaceLineEndingsOfStreams(this string text) =>
        text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');

    /// <summary>Reads a stream as the HTML standard says.</summary>
    private static List<(string Name, string Data, string Id)> Read(string text)
    {
        var events = new List<(string, string, string)>();
        var (name, data, id) = ("", new StringBuilder(), "");
        foreach (var line in text.ReplaceLineEndingsOfStreams().Split('\n')[..^1])
        {
            if (line.Length == 0)
            {
                if (data.Length > 0) events.Add((name, data.ToString(0, data.Length - 1), id));
                (name, data) = ("", new StringBuilder());
                continue;
            }

            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var field = colon < 0 ? line : line[..colon];
            var value = colon < 0 ? "" : line[(colon + 1)..];
            if (value.StartsWith(' ')) value = value[1..];
            if (field == "event") name = value;
            else if (field == "data") data.Append(value).Append('\n');
            else if (field == "id" && !value.Contains('\0', StringComparison.Ordinal)) id = value;
        }

        return events;
    }
}
