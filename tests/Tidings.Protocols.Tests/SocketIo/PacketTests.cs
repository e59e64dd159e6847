using Shouldly;
using Tidings.Protocols.SocketIo;
using Tidings.Protocols.Tests.Support;
using Tidings.Realtime;
using Xunit;

namespace Tidings.Protocols.Tests.SocketIo;

/// <summary>What a client may send behind <c>4</c>, and what the server makes of it.</summary>
public sealed class PacketTests
{
    [Theory]
    [InlineData("0")]
    [InlineData("0{\"token\":\"t\"}")]
    [InlineData("0/admin")]
    [InlineData("0/admin,")]
    [InlineData("0/slow?token=a,{}")]
    [InlineData("0/häuser,")]
    [InlineData("1")]
    [InlineData("1/admin,")]
    [InlineData("2[\"a\"]")]
    [InlineData("20[\"a\"]")]
    [InlineData("2999999999999999[\"a\"]")]
    [InlineData("2[5,1]")]
    [InlineData("2[\"error\"]")]
    [InlineData("2[\"message\",\"\\ud800\"]")]
    [InlineData("2[\"a\",\"\\u2028😀\"]")]
    [InlineData("2/admin,7[\"a\"]")]
    [InlineData("3[]")]
    [InlineData("3[\"x\"]")]
    [InlineData("3999[\"x\"]")]
    [InlineData("51-[\"a\",{\"_placeholder\":true,\"num\":0}]")]
    [InlineData("510-[\"a\"]")]
    [InlineData("61-7[{\"_placeholder\":true,\"num\":0}]")]
    public void A_packet_is_one(string text) => Parse(text).ShouldNotBeNull();

    [Theory]
    [InlineData("")]
    [InlineData("abc")]
    [InlineData("7[\"a\"]")]
    [InlineData("4{\"message\":\"no\"}")]
    [InlineData("0\"str\"")]
    [InlineData("0[\"a\"]")]
    [InlineData("0{} {}")]
    [InlineData("1{\"a\":1}")]
    [InlineData("2")]
    [InlineData("2{}")]
    [InlineData("2[]")]
    [InlineData("2[null]")]
    [InlineData("2[{}]")]
    [InlineData("2[true]")]
    [InlineData("2[\"a\"")]
    [InlineData("2[\"a\"]]")]
    [InlineData("2[\"a\",]")]
    [InlineData("2abc[\"a\"]")]
    [InlineData("21.5[\"a\"]")]
    [InlineData("2-1[\"a\"]")]
    [InlineData("2 [\"a\"]x")]
    [InlineData("21000000000000000[\"a\"]")]
    [InlineData("299999999999999999999[\"a\"]")]
    [InlineData("2[\"connect\"]")]
    [InlineData("2[\"connect_error\"]")]
    [InlineData("2[\"disconnect\"]")]
    [InlineData("2[\"disconnecting\"]")]
    [InlineData("2[\"newListener\"]")]
    [InlineData("2[\"removeListener\"]")]
    [InlineData("2[\"\\ud800\"]")]
    [InlineData("31{}")]
    [InlineData("3")]
    [InlineData("5[\"a\"]")]
    [InlineData("50-[\"a\"]")]
    [InlineData("511-[\"a\"]")]
    [InlineData("5999-[\"a\"]")]
    [InlineData("51[\"a\"]")]
    [InlineData("51-")]
    [InlineData("5-[\"a\"]")]
    public void What_is_no_packet_is_not_taken_for_one(string text) => Parse(text).ShouldBeNull();

    [Fact]
    public void Nesting_and_names_have_a_limit()
    {
        Parse("2[\"a\"," + new string('[', 63) + new string(']', 63) + "]").ShouldNotBeNull();
        Parse("2[\"a\"," + new string('[', 64) + new string(']', 64) + "]").ShouldBeNull();
        Parse("0/" + new string('n', 1_000) + ",").ShouldNotBeNull();
        Parse("0/" + new string('n', 1_100) + ",").ShouldBeNull();
    }

    [Fact]
    public void A_packet_is_taken_apart()
    {
        var packet = Parse("52-/admin,12[\"file\", {\"a\":[1,2]} ,\"b\",null]")!;
        (packet.Type, packet.Namespace, packet.Id, packet.Attachments, packet.Name).ShouldBe((SocketPacketType.BinaryEvent, "/admin", 12L, 2, "file"));
        packet.Arguments.Select(static argument => System.Text.Encoding.UTF8.GetString(argument.Span)).ShouldBe(["{\"a\":[1,2]}", "\"b\"", "null"]);
    }

    [Theory]
    [InlineData("[\"a\",{\"_placeholder\":true,\"num\":0}]", 1, true)]
    [InlineData("[\"a\",{\"x\":[{\"_placeholder\":true,\"num\":1}]}]", 2, true)]
    [InlineData("[\"a\"]", 1, true)]
    [InlineData("[\"a\",{\"_placeholder\":false,\"num\":9}]", 1, true)]
    [InlineData("[\"a\",{\"_placeholder\":true,\"num\":1}]", 1, false)]
    [InlineData("[\"a\",{\"_placeholder\":true,\"num\":-1}]", 1, false)]
    [InlineData("[\"a\",{\"_placeholder\":true,\"num\":\"0\"}]", 1, false)]
    [InlineData("[\"a\",{\"_placeholder\":true}]", 1, false)]
    [InlineData("[\"a\",{\"_placeholder\":true,\"num\":1e99}]", 1, false)]
    public void Every_placeholder_names_an_attachment(string json, int count, bool fits) =>
        SocketBinary.Fits(System.Text.Encoding.UTF8.GetBytes(json), count).ShouldBe(fits);

    [Theory]
    [InlineData("4abc")]
    [InlineData("42{}")]
    [InlineData("42[\"connect\"]")]
    [InlineData("44{\"message\":\"no\"}")]
    [InlineData("42/never,[\"x\"]")]
    [InlineData("41/never,")]
    [InlineData("451-[\"a\",{\"_placeholder\":true,\"num\":0}]|42[\"between\"]")]
    [InlineData("451-[\"a\",{\"_placeholder\":true,\"num\":1}]|b:01")]
    [InlineData("b:0102")]
    public async Task A_mistake_ends_the_session(string packets)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        foreach (var packet in packets.Split('|'))
            await (packet.StartsWith("b:", StringComparison.Ordinal) ? client.SendAsync(Convert.FromHexString(packet[2..])) : client.SendAsync(packet));
        (await client.ReadCloseAsync()).ShouldBe("4400 parse_error");
        await Eventually.IsTrueAsync(() => server.Engine.ConnectionCount == 0, "the connection ends");
    }

    [Fact]
    public async Task An_event_before_CONNECT_ends_the_session()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server);
        await client.SendAsync("42[\"subscribe\",\"room:a\"]");
        (await client.ReadCloseAsync()).ShouldBe("4400 parse_error");
    }

    [Theory]
    [InlineData("43[\"x\"]")]
    [InlineData("43999[\"x\"]")]
    [InlineData("461-1[{\"_placeholder\":true,\"num\":0}]|b:01")]
    public async Task An_answer_that_nobody_waits_for_is_ignored(string packets)
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.ReadyAsync(server);
        foreach (var packet in packets.Split('|'))
            await (packet.StartsWith("b:", StringComparison.Ordinal) ? client.SendAsync(Convert.FromHexString(packet[2..])) : client.SendAsync(packet));
        (await client.AskAsync("[\"nothing\"]")).GetProperty("ok").GetBoolean().ShouldBeFalse();
    }

    [Fact]
    public async Task Attachments_together_are_held_to_the_limit_of_a_message()
    {
        await using var server = await TestServer.StartAsync(new RealtimeOptions { MessageBytes = 1_000 });
        await using var client = await EngineClient.ReadyAsync(server);
        await client.SendAsync("453-[\"a\"]");
        for (var count = 0; count < 3; count++) await client.SendAsync(new byte[400]);
        (await client.ReadCloseAsync()).ShouldBe("1009 too_big");
    }

    [Fact]
    public async Task A_client_without_binary_frames_is_taken_as_well()
    {
        await using var server = await TestServer.StartAsync();
        await using var client = await EngineClient.OpenAsync(server, "&b64=1");
        await client.SendAsync("40{\"token\":\"42\"}");
        await client.ReadReplyAsync();
        await client.EventAsync("connected");
        await client.SendAsync("""451-7["publish","room:a","x",{"_placeholder":true,"num":0}]""");
        await client.SendAsync("bAQIDBA==");
        (await client.NextAsync()).ShouldStartWith("437[{\"ok\":false");
    }

    private static SocketPacket? Parse(string text) => SocketPacketParser.Parse(System.Text.Encoding.UTF8.GetBytes(text));
}
