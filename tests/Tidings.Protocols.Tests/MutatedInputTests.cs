using System.Text;
using Shouldly;
using Tidings.Protocols.Native;
using Tidings.Protocols.Streams;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Xunit;

namespace Tidings.Protocols.Tests;

/// <summary>Damaged input, from good examples: nothing may throw, and nothing may cost much. A failure names its seed.</summary>
public class MutatedInputTests(ITestOutputHelper output)
{
    private const int Rounds = 30_000;
    private const long MostBytes = 4 * 1024 * 1024;

    private static readonly byte[][] Frames =
    [
        ClientFrames.Text("{\"type\":\"ping\"}"),
        [.. ClientFrames.First(FrameOpcode.Text, 0xE2), .. ClientFrames.Ping("p"), .. ClientFrames.Last(0x82, 0xAC)],
        [.. ClientFrames.Binary(new byte[300]), .. ClientFrames.Close(1000, "bye")],
        ClientFrames.Of(FrameOpcode.Text, [], declared: 1UL << 40, form: 8),
    ];

    private static readonly byte[][] Texts = new[]
    {
        """{"type":"subscribe","id":1,"channel":"feed:42","since":"AAAAAAAAAE0D","presence":true,"token":"x"}""",
        """{"type":"subscribe","channel":{"type":"post","postId":"7"}}""",
        """{"type":"publish","id":3,"channel":"room:a","event":"typing","data":{"a":[1,"\ud83d\ude00"]}}""",
        """{"type":"history","id":5,"channel":"room:a","limit":100}""",
    }.Select(Encoding.UTF8.GetBytes).ToArray();

    private static readonly byte[][] Tokens = [.. new[] { "AQAAAAcQAAAAAAAAAAU", "AQ" }.Select(Encoding.UTF8.GetBytes)];

    [Fact]
    public void Damaged_frames() => Run(Frames, static bytes =>
    {
        using var reader = new FrameReader(1024);
        Memory<byte> input = bytes;
        for (var read = 0; reader.TryRead(ref input, out var message); read++)
        {
            read.ShouldBeLessThan(1000);
            if (message.Kind == InboundKind.Text) Encoding.UTF8.GetString(message.Payload.Span).ShouldNotContain("\uFFFD");
        }

        input.IsEmpty.ShouldBeTrue();
    });

    [Fact]
    public void Damaged_commands()
    {
        var parser = new CommandParser(Catalogs.Usual);
        Run(Texts, bytes =>
        {
            var parsed = parser.Parse(bytes);
            new object?[] { parsed.Command, parsed.Error, parsed.Malformed }.Count(static part => part is not null).ShouldBe(1);
        });
    }

    [Fact]
    public void Damaged_stream_tokens() => Run(Tokens, static bytes =>
    {
        if (!StreamToken.TryRead(Encoding.Latin1.GetString(bytes), out var places)) return;
        places.Count.ShouldBeLessThanOrEqualTo(StreamToken.MaxChannels);
    });

    private static byte[] Mutate(byte[][] corpus, Random random)
    {
        var bytes = corpus[random.Next(corpus.Length)].ToList();
        for (var changes = random.Next(1, 5); changes > 0; changes--)
        {
            var at = random.Next(bytes.Count + 1);
            switch (random.Next(6))
            {
                case 0 when at < bytes.Count: bytes[at] ^= (byte)(1 << random.Next(8)); break;
                case 1 when at < bytes.Count: bytes[at] = (byte)random.Next(256); break;
                case 2 when at < bytes.Count: bytes.RemoveRange(at, random.Next(bytes.Count - at + 1)); break;
                case 3: bytes.InsertRange(at, bytes.Take(random.Next(bytes.Count + 1)).ToArray()); break;
                case 4: bytes.InsertRange(at, corpus[random.Next(corpus.Length)]); break;
                default: bytes.Insert(at, (byte)"{}[]\",:\\\0\u007F"[random.Next(10)]); break;
            }
        }

        return [.. bytes];
    }

    private void Run(byte[][] corpus, Action<byte[]> check)
    {
        var seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        var random = new Random(seed);
        for (var round = 0; round < Rounds; round++)
        {
            var bytes = Mutate(corpus, random);
            var copy = Convert.ToHexString(bytes);
            var before = GC.GetAllocatedBytesForCurrentThread();
            Should.NotThrow(() => check(bytes), $"seed {seed}, round {round}: {copy}");
            (GC.GetAllocatedBytesForCurrentThread() - before).ShouldBeLessThan(MostBytes, $"seed {seed}, round {round}: {copy}");
        }
    }
}
