using System.Text;
using Shouldly;
using Tidings.Protocols.Upgrade;
using Xunit;

namespace Tidings.Protocols.Tests.Upgrade;

public sealed class UpgradePathTests
{
    [Theory]
    [InlineData("/ws", "/ws", true)]
    [InlineData("/ws", "/wss", false)]
    [InlineData("/ws", "/ws/", false)]
    [InlineData("/app/{key}", "/app/abc-1", true)]
    [InlineData("/app/{key}", "/app/", false)]
    [InlineData("/app/{key}", "/app/a/b", false)]
    [InlineData("/app/{key}", "/app/a%2Fb", false)]
    [InlineData("/app/{key}", "/app/..", false)]
    public void A_path_is_known_when_it_means_the_same_to_everybody(string pattern, string path, bool isKnown) =>
        new UpgradePath(pattern).Is(path).ShouldBe(isKnown);

    [Theory]
    [InlineData("/ws", "/w", true)]
    [InlineData("/ws", "/ws", true)]
    [InlineData("/ws", "/ws?a=1", true)]
    [InlineData("/ws", "/wsx", false)]
    [InlineData("/app/{key}", "/a", true)]
    [InlineData("/app/{key}", "/app/k?protocol=7", true)]
    [InlineData("/app/{key}", "/apps/", false)]
    public void The_first_bytes_of_another_path_are_not_waited_on(string pattern, string target, bool mayBecome) =>
        new UpgradePath(pattern).MayBecome(Encoding.ASCII.GetBytes(target)).ShouldBe(mayBecome);
}
