using System.Buffers;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http;
using Tidings.Protocols.Native;
using Tidings.Protocols.Upgrade;
using Tidings.Protocols.WebSockets;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What comes over a socket, and what of it goes on to others.</summary>
internal static class MessageTargets
{
    private static readonly string[] Json = ["{", "}", "[", "]", "\"", ":", ",", "null", "true", "1e999", "\\ud800", "\\u0000", "[[[[", "{\"a\":", "\u2028"];
    private static readonly CommandParser Parser = new(NameTargets.Catalog);

    public static IReadOnlyList<Target> List { get; } =
    [
        new("command", [.. Json, "\"type\"", "\"subscribe\"", "\"publish\"", "\"history\"", "\"channel\"", "\"since\"", "\"id\"", "\"data\"", "room:a"], Command),
        new("event", [.. Json, "\"type\"", "\"channel\"", "\"position\"", "\"id\"", "\"timestamp\"", "typ\\u0065"], Event),
        new("frames", ["\u0000", "\u0081", "\u0089", "\u0088", "é", "\u00ff"], Frames),
        new("upgrade-head", ["GET ", "/ws", " HTTP/1.1\r\n", "\r\n", "\r\n\r\n", ": ", "Host", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Key", "Content-Length: 1", ",", "bearer."], Head),
    ];

    private static void Command(byte[] input)
    {
        var parsed = Parser.Parse(input);
        var answers = new object?[] { parsed.Command, parsed.Error, parsed.Malformed }.Count(static part => part is not null);
        Unless(answers == 1, $"{answers} answers");
    }

    /// <summary>What somebody else wrote stands in an event beside our own fields, and takes none of their places.</summary>
    private static void Event(byte[] input)
    {
        if (!FlatPayload.TryMake(input, out var payload)) return;

        var draft = new PublicationDraft
        {
            Channel = new ChannelName("post", "7"),
            Type = "post_created",
            Id = "e1",
            Timestamp = DateTimeOffset.UnixEpoch,
            Payload = payload,
        };
        var json = new ArrayBufferWriter<byte>();
        EventJson.Write(json, NameTargets.Catalog, new Publication(draft, new Position(5, 7)), PublicationForm.Open);

        Unless(json.WrittenSpan.IndexOfAny((byte)'\r', (byte)'\n') < 0, "an event of two lines");
        using var document = JsonDocument.Parse(json.WrittenMemory, new JsonDocumentOptions { MaxDepth = 128 });
        foreach (var (name, value) in (ReadOnlySpan<(string, string)>)[("type", "post_created"), ("channel", "post:7"), ("id", "e1")])
        {
            var same = document.RootElement.EnumerateObject().Where(field => field.Name == name).ToList();
            Unless(same.Count == 1 && same[0].Value.ValueEquals(value), $"'{name}' is forged");
        }
    }

    /// <summary>However the bytes are split, the messages are the same. The first byte of the input says how.</summary>
    private static void Frames(byte[] input)
    {
        if (input.Length == 0) return;
        var whole = Read([input[1..]]);
        var split = Read(input[1..].Chunk(1 + (input[0] % 16)));
        Unless(whole.SequenceEqual(split), $"'{string.Join(' ', whole)}' in one piece, '{string.Join(' ', split)}' in pieces");
    }

    private static List<string> Read(IEnumerable<byte[]> pieces)
    {
        using var reader = new FrameReader(64 * 1024);
        var seen = new List<string>();
        foreach (var piece in pieces)
        {
            Memory<byte> rest = piece;
            while (reader.TryRead(ref rest, out var message))
            {
                if (message.Kind == InboundKind.Text) Unless(System.Text.Unicode.Utf8.IsValid(message.Payload.Span), "a text that is not UTF-8");
                seen.Add($"{message.Kind}{message.Code}{Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(message.Payload.Span))[..8]}");
            }

            if (reader.HasEnded) break;
            Unless(rest.IsEmpty, "bytes are left over");
        }

        return seen;
    }

    private static readonly UpgradePath[] Paths = [new("/ws"), new("/app/{key}")];

    private static void Head(byte[] input)
    {
        if (UpgradeHead.TryRead(input, Paths, out var head) != HeadVerdict.Good) return;

        Unless(head!.Length <= UpgradeHead.MaxBytes && input.AsSpan(0, head.Length).EndsWith("\r\n\r\n"u8), "a head that ends elsewhere");
        Unless(head.Headers.All(static field => !field.Value.ToString().Any(char.IsControl)), "a control character in a field");
        var request = new DefaultHttpContext().Request;
        foreach (var field in head.Headers) request.Headers[field.Key] = field.Value;
        request.QueryString = new QueryString(head.Query);
        _ = request.Query["token"];
        if (WebSocketHandshake.JudgeFields(request) == HandshakeVerdict.Good) _ = WebSocketHandshake.AcceptFor(request.Headers.SecWebSocketKey.ToString());
        _ = WebSocketHandshake.TokenAmong(request.Headers.SecWebSocketProtocol);
        _ = Encoding.ASCII.GetByteCount(head.Target);
    }
}
