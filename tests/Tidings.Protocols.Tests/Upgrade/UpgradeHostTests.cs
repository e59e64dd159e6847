using System.Text;
using Shouldly;
using Tidings.Protocols.Upgrade;
using Xunit;

namespace Tidings.Protocols.Tests.Upgrade;

/// <summary>A <c>Host</c> that HTTP would refuse must not be let in before it, and an unusual one is HTTP's to judge.</summary>
public sealed class UpgradeHostTests
{
    [Theory]
    [InlineData("feeds.example", true)]
    [InlineData("127.0.0.1:5000", true)]
    [InlineData("my_host:80", true)]
    [InlineData("", false)]
    [InlineData("a b", false)]
    [InlineData("user@host", false)]
    [InlineData("a,b", false)]
    [InlineData("a/b", false)]
    [InlineData("[::1", false)]
    [InlineData("[::1]:5000", false)]
    [InlineData(":80", false)]
    [InlineData("a:b", false)]
    [InlineData("a:80:80", false)]
    public void Only_a_plain_host_is_judged_before_HTTP(string host, bool isGood)
    {
        var head = $"GET /ws HTTP/1.1\r\nHost: {host}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n";
        UpgradeHead.TryRead(Encoding.ASCII.GetBytes(head), [new UpgradePath("/ws")], out _).ShouldBe(isGood ? HeadVerdict.Good : HeadVerdict.Other);
    }
}
