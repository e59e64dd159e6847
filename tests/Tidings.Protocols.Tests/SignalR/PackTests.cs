using System.Buffers;
using System.Text;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.SignalR;
using Xunit;

namespace Tidings.Protocols.Tests.SignalR;

public sealed class PackTests
{
    [Theory]
    [InlineData("null", "C0")]
    [InlineData("true", "C3")]
    [InlineData("false", "C2")]
    [InlineData("0", "00")]
    [InlineData("127", "7F")]
    [InlineData("128", "D10080")]
    [InlineData("-1", "FF")]
    [InlineData("-32", "E0")]
    [InlineData("-33", "D0DF")]
    [InlineData("-129", "D1FF7F")]
    [InlineData("65535", "D20000FFFF")]
    [InlineData("4294967296", "D30000000100000000")]
    [InlineData("1.5", "CB3FF8000000000000")]
    [InlineData("\"\"", "A0")]
    [InlineData("\"a\\u0416\\n\"", "A461D0960A")]
    [InlineData("[]", "90")]
    [InlineData("[1,[2,[]],{}]", "9301920290" + "80")]
    [InlineData("{\"a\":1,\"b\":{\"c\":[null]}}", "82A16101A16281A16391C0")]
    public void Json_is_written_in_its_shortest_form_and_read_as_what_it_was(string json, string hex)
    {
        var packed = new ArrayBufferWriter<byte>();
        PackWriter.WriteJson(packed, Encoding.UTF8.GetBytes(json), out _);
        Convert.ToHexString(packed.WrittenSpan).ShouldBe(hex);
        JsonOf(packed.WrittenSpan).ShouldBe(JsonSerializer.Serialize(JsonSerializer.Deserialize<JsonElement>(json)));
    }

    [Theory]
    [InlineData("\"\\ud800\"", "A3EFBFBD")]
    [InlineData("{\"\\udc00a\":1}", "81A4EFBFBD6101")]
    [InlineData("\"\\ud83d\\ude00\\u0022\\/\"", "A6F09F9880222F")]
    public void Half_a_character_is_written_as_the_sign_for_what_is_none(string json, string hex)
    {
        var packed = new ArrayBufferWriter<byte>();
        PackWriter.WriteJson(packed, Encoding.UTF8.GetBytes(json), out _);
        Convert.ToHexString(packed.WrittenSpan).ShouldBe(hex);
    }

    [Theory]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(31)]
    [InlineData(32)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(65_535)]
    [InlineData(65_536)]
    public void Long_texts_arrays_and_objects_come_back(int count)
    {
        foreach (var json in (string[])[
            $"\"{new string('x', count)}\"",
            $"[{string.Join(',', Enumerable.Range(0, count))}]",
            $"{{{string.Join(',', Enumerable.Range(0, count).Select(static number => $"\"{number}\":{number}"))}}}"])
        {
            var packed = new ArrayBufferWriter<byte>();
            PackWriter.WriteJson(packed, Encoding.UTF8.GetBytes(json), out _);
            JsonOf(packed.WrittenSpan).ShouldBe(json);
        }
    }

    [Theory]
    [InlineData("", "not_an_array")]
    [InlineData("80", "not_an_array")]
    [InlineData("90", "no_type")]
    [InlineData("91C0", "no_type")]
    [InlineData("9100", "bad_type")]
    [InlineData("917F", "bad_type")]
    [InlineData("9106FF", "not_messagepack")]
    [InlineData("9206", "not_messagepack")]
    [InlineData("9206C1", "not_messagepack")]
    [InlineData("9101", "bad_invocation")]
    [InlineData("950180C0A15391C1", "bad_invocation")]
    [InlineData("950180C0C090", "bad_invocation")]
    [InlineData("950180A0A15390", "bad_invocation")]
    [InlineData("950180C0A15391A1FF", "bad_invocation")]
    [InlineData("950180C0A15391CB7FF8000000000000", "bad_invocation")]
    [InlineData("950180C0A15391DDFFFFFFFF", "bad_invocation")]
    [InlineData("950180C0A15391DBFFFFFFFF", "bad_invocation")]
    [InlineData("950180C0A1539181C001", "bad_invocation")]
    [InlineData("950180C0A15391CFFFFFFFFFFFFFFFFF", "bad_invocation")]
    [InlineData("950180C0A15390FF", "bad_invocation")]
    [InlineData("950480C0A15390", "bad_invocation")]
    public void What_is_wrong_is_told(string hex, string reason)
    {
        PackedHubEncoding.Instance.TryRead(Convert.FromHexString(hex), out var record).ShouldBe(reason);
        record.ShouldBeNull();
    }

    [Fact]
    public void Nesting_has_a_limit()
    {
        byte[] deep = [0x95, 1, 0x80, 0xC0, 0xA1, (byte)'S', 0x91, .. Enumerable.Repeat((byte)0x91, 100), 0xC0];
        PackedHubEncoding.Instance.TryRead(deep, out _).ShouldBe("bad_invocation");
    }

    [Fact]
    public void Records_are_taken_wherever_they_are_cut_and_none_is_too_big()
    {
        byte[] stream = [.. PackedHubEncoding.Instance.Failure("1", new string('x', 300)), .. PackedHubEncoding.Instance.Ping.Span];
        for (var cut = 0; cut < stream.Length - 3; cut++)
        {
            var part = new ReadOnlySequence<byte>(stream, 0, cut);
            PackedHubEncoding.Instance.TryTake(ref part, 1_000, out _).ShouldBe(HubTaking.Incomplete);
        }

        var all = new ReadOnlySequence<byte>(stream);
        PackedHubEncoding.Instance.TryTake(ref all, 1_000, out var first).ShouldBe(HubTaking.Record);
        PackedHubEncoding.Instance.TryRead(first.ToArray(), out var record).ShouldBeNull();
        record!.Type.ShouldBe(HubRecordType.Completion);
        PackedHubEncoding.Instance.TryTake(ref all, 1_000, out var second).ShouldBe(HubTaking.Record);
        second.ToArray().ShouldBe([0x91, 6]);
        all.IsEmpty.ShouldBeTrue();

        all = new ReadOnlySequence<byte>(stream);
        PackedHubEncoding.Instance.TryTake(ref all, 299, out _).ShouldBe(HubTaking.TooBig);
        var endless = new ReadOnlySequence<byte>([0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]);
        PackedHubEncoding.Instance.TryTake(ref endless, 1_000, out _).ShouldBe(HubTaking.TooBig);
    }

    private static string JsonOf(ReadOnlySpan<byte> packed)
    {
        var reader = new PackReader(packed);
        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        reader.TryReadAsJson(writer).ShouldBeTrue();
        reader.IsAtEnd.ShouldBeTrue();
        writer.Flush();
        return Encoding.UTF8.GetString(json.WrittenSpan);
    }
}
