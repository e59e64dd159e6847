using FsCheck;
using FsCheck.Fluent;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Tidings.Protocols.WebSockets;
using Xunit;

namespace Tidings.Protocols.Tests.WebSockets;

public class FrameSplitTests
{
    [Fact]
    public void Any_split_of_the_bytes_gives_the_same_messages()
    {
        var streams = Gen.ArrayOf(Frames).Select(static frames => frames.SelectMany(static frame => frame).ToArray());
        var cases = streams.SelectMany(static bytes => Gen.ArrayOf(Gen.Choose(0, bytes.Length)).Select(cuts => (bytes, cuts)));

        Prop.ForAll(cases.ToArbitrary(), static given =>
        {
            var whole = ClientFrames.Read([given.bytes]);
            ClientFrames.Read(Split(given.bytes, given.cuts)).ShouldBe(whole);
        }).QuickCheckThrowOnFailure();
    }

    private static Gen<byte[]> Frames =>
        from opcode in Gen.Elements(FrameOpcode.Text, FrameOpcode.Text, FrameOpcode.Binary, FrameOpcode.Continuation, FrameOpcode.Ping, FrameOpcode.Pong)
        from payload in Gen.ArrayOf(Gen.Choose(0x20, 0x90).Select(static number => (byte)number))
        from isFinal in Gen.Frequency((4, Gen.Constant(true)), (1, Gen.Constant(false)))
        from isMasked in Gen.Frequency((50, Gen.Constant(true)), (1, Gen.Constant(false)))
        select ClientFrames.Of(opcode, payload, isFinal, isMasked: isMasked);

    private static IEnumerable<byte[]> Split(byte[] bytes, int[] cuts)
    {
        var from = 0;
        foreach (var cut in cuts.Order().Append(bytes.Length))
        {
            yield return bytes[from..cut];
            from = cut;
        }
    }
}
