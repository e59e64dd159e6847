using System.Buffers;
using System.Text.Json;
using Tidings.Protocols.Native;
using Tidings.Protocols.SignalR;
using static Tidings.Fuzz.WrongAnswerException;

namespace Tidings.Fuzz.Targets;

/// <summary>What SignalR's clients send.</summary>
internal static class HubTargets
{
    private static readonly HubMethods Methods = new(new CommandParser(NameTargets.Catalog));

    public static IReadOnlyList<Target> List { get; } =
    [
        new("hub-record", ["{", "}", "\"type\"", "\"target\"", "\"arguments\"", "\"invocationId\"", "\"Subscribe\"", "\"Publish\"", "\"History\"", "[", "]", ":", ",", "1", "4", "\\ud800", "null"], Record),
        new("hub-pack", ["\u0091\u0006", "\u0095\u0001\u0080", "\u00a1", "\u00d9", "\u00dc", "\u00dd", "\u00df", "\u00ca", "\u00cb", "\u00cf", "\u00d3", "\u00c4", "\u00c0", "\u00a9Subscribe"], Pack),
        new("hub-handshake", ["{", "}", "\"protocol\"", "\"version\"", "\"json\"", "\"messagepack\"", "1", ":", ",", "1e999", "\\ud800"], Handshake),
    ];

    private static void Record(byte[] input) => Check(HubRecord.TryRead(input, out var record), record);

    private static void Handshake(byte[] input) => _ = HubHandshake.Judge(input, takesBinary: true, out _);

    private static void Pack(byte[] input)
    {
        var buffer = new ReadOnlySequence<byte>(input);
        while (PackedHubEncoding.Instance.TryTake(ref buffer, 64 * 1024, out var bytes) == HubTaking.Record)
            Check(PackedHubEncoding.Instance.TryRead(bytes.ToArray(), out var record), record);
    }

    private static void Check(string? wrong, HubRecord? record)
    {
        Unless(wrong is null == record is not null, "neither a record nor a mistake");
        if (record is null || record.Type is not (HubRecordType.Invocation or HubRecordType.StreamInvocation)) return;

        foreach (var argument in record.Arguments)
        {
            using var json = JsonDocument.Parse(argument); // an argument is JSON, whatever it was written in
        }

        var parsed = Methods.Parse(record, 1);
        Unless(parsed.Malformed is null, "an argument that breaks out of its place");
        var answers = new object?[] { parsed.Command, parsed.Error }.Count(static part => part is not null);
        Unless(answers == 1, $"{answers} answers");
    }
}
