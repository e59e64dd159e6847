using System.Buffers.Text;
using Shouldly;
using Tidings.Protocols.SocketIo;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.SocketIo;

public sealed class RecoveryOffsetTests
{
    public static TheoryData<string, byte[]> Malformed { get; } = new()
    {
        { "another version", [2] },
        { "a code that is none", [1, 5] },
        { "bits that are none", [1, 0x81] },
        { "a name that is cut off", [1, 0, 6, (byte)'r', (byte)'o'] },
        { "a name of no length", [1, 0, 0] },
        { "no name at all", [1, 0] },
        { "a kind that is none", [1, 0, 3, (byte)'x', (byte)':', (byte)'1'] },
        { "another spelling", [1, 0, 6, .. "room_a"u8] },
        { "no position where one is due", [1, 0x12] },
        { "half a position", [1, 0x12, 1, 2, 3, 4] },
        { "a channel twice", [1, 0, 6, .. "room:a"u8, 0, 6, .. "room:a"u8] },
        { "a user's channel twice", [1, 2, 0, 7, .. "user:42"u8] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void What_is_damaged_is_refused_as_a_whole(string what, byte[] bytes) =>
        RecoveryOffset.TryRead(Base64Url.EncodeToString(bytes), "42", Catalogs.Usual).ShouldBeNull(what);

    [Fact]
    public void The_users_own_channels_are_those_of_whoever_comes_back()
    {
        var offset = Base64Url.EncodeToString([1, 2, 3, 4, 0x08, 6, .. "club:a"u8]);
        RecoveryOffset.TryRead(offset, "43", Catalogs.Usual)!.Select(static place => (place.Channel.Value, place.HasPresence))
            .ShouldBe([("user:43", false), ("notifications:43", false), ("feed:43", false), ("club:a", true)]);
        RecoveryOffset.TryRead(offset, null, Catalogs.Usual).ShouldBeNull();
    }

    [Fact]
    public void A_text_over_the_limit_is_not_looked_at() =>
        RecoveryOffset.TryRead(new string('A', RecoveryOffset.MaxLength + 1), "42", Catalogs.Usual).ShouldBeNull();
}
