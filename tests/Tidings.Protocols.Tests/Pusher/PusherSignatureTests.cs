using Shouldly;
using Tidings.Protocols.Pusher;
using Xunit;

namespace Tidings.Protocols.Tests.Pusher;

public sealed class PusherSignatureTests
{
    private static readonly PusherApp App = new("3", "278d425bdf160c739803", "7ad3773142a6692b25b8");

    [Theory]
    [InlineData("1234.1234:private-foobar", "58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4")]
    [InlineData("""1234.1234:presence-foobar:{"user_id":10,"user_info":{"name":"Mr. Channels"}}""", "31935e7d86dba64c2a90aed31fdc61869f9b22ba9d8863bba239c03ca481bc80")]
    [InlineData("""1234.1234::user::{"id":"12345"}""", "4708d583dada6a56435fb8bc611c77c359a31eebde13337c16ab43aa6de336ba")]
    [InlineData("1234.1234:private-encrypted-foobar", "e6a18892d037c5d5e76a2265df4f086ffc38631605530dfd214aa5bff495f533")]
    public void Digests_are_those_of_the_protocols_vectors(string text, string digest)
    {
        PusherSignature.Digest(App, text).ShouldBe(digest);
        PusherSignature.Judge(App, $"278d425bdf160c739803:{digest}", text).ShouldBe(SignatureVerdict.Good);
    }

    [Fact]
    public void The_digest_of_a_webhook_is_that_of_the_protocols_vector() => PusherSignature
        .Digest(App, """{"time_ms":1327078148132,"events":[{"name":"channel_occupied","channel":"test"}]}"""u8)
        .ShouldBe("abfea5004a8dd261c09cf7357e59a6dbdbfd3d6a9846970f7d549e8e2b57bb32");

    [Fact]
    public void What_is_signed_has_the_data_exactly_as_it_was_sent()
    {
        PusherSignature.OfChannel("1.2", "private-a", null).ShouldBe("1.2:private-a");
        PusherSignature.OfChannel("1.2", "presence-a", "{ \"user_id\" : \"é\" }").ShouldBe("1.2:presence-a:{ \"user_id\" : \"é\" }");
        PusherSignature.OfUser("1.2", "{}").ShouldBe("1.2::user::{}");
    }

    [Theory]
    [InlineData(null, SignatureVerdict.Malformed)]
    [InlineData("", SignatureVerdict.Malformed)]
    [InlineData(":58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4", SignatureVerdict.Malformed)]
    [InlineData("58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4", SignatureVerdict.Malformed)]
    [InlineData("other:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4", SignatureVerdict.WrongKey)]
    [InlineData("278d425bdf160c739803:58DF8B0C36D6982B82C3ECF6B4662E34FE8C25BBA48F5369F135BF843651C3A4", SignatureVerdict.Wrong)]
    [InlineData("278d425bdf160c739803:58df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a5", SignatureVerdict.Wrong)]
    [InlineData("278d425bdf160c739803:58df8b0c", SignatureVerdict.Wrong)]
    [InlineData("278d425bdf160c739803:", SignatureVerdict.Wrong)]
    [InlineData("278d425bdf160c739803:é8df8b0c36d6982b82c3ecf6b4662e34fe8c25bba48f5369f135bf843651c3a4", SignatureVerdict.Wrong)]
    internal void Anything_else_is_refused(string? auth, SignatureVerdict verdict) =>
        PusherSignature.Judge(App, auth, "1234.1234:private-foobar").ShouldBe(verdict);

    [Theory]
    [InlineData("1234.1234", true)]
    [InlineData("1.", false)]
    [InlineData(".1", false)]
    [InlineData("12", false)]
    [InlineData("1.2.3", false)]
    [InlineData("1.a", false)]
    [InlineData("1.2\n", false)]
    [InlineData("", false)]
    public void A_socket_id_has_two_numbers(string text, bool isOne) => SocketId.Is(text).ShouldBe(isOne);

    [Fact]
    public void Socket_ids_are_made_in_that_form_and_differ()
    {
        var ids = Enumerable.Range(0, 1_000).Select(_ => SocketId.New()).ToList();
        ids.ShouldAllBe(id => SocketId.Is(id));
        ids.Distinct().Count().ShouldBe(ids.Count);
    }
}
