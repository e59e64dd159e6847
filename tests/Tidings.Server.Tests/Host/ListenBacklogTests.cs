using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class ListenBacklogTests
{
    [Theory, InlineData("128\n", true), InlineData("4096\n", false), InlineData("65535\n", false), InlineData("many\n", false)]
    public void A_system_that_lets_few_wait_is_warned_of(string limit, bool isWarned) => (ListenBacklog.WarningFor(limit) is not null).ShouldBe(isWarned);
}
