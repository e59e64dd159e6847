using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class FileHandlesTests
{
    [Theory]
    [InlineData("Max open files            20000                524288               files     ", 20_000)]
    [InlineData("Max open files            unlimited            unlimited            files     ", null)]
    [InlineData("Max processes             20000                20000                processes ", null)]
    public void The_soft_limit_is_read(string line, int? expected) => FileHandles.LimitIn(["Limit  Soft Limit  Hard Limit  Units", line]).ShouldBe(expected);

    [Theory]
    [InlineData(20_000, 16_000, false)]
    [InlineData(1_024, 820, true)]
    [InlineData(1, 1, true)]
    public void A_fifth_is_kept_and_few_are_warned_of(int handles, int connections, bool isWarned)
    {
        FileHandles.ConnectionsWithin(handles).ShouldBe(connections);
        (FileHandles.WarningFor(handles) is not null).ShouldBe(isWarned);
    }

    [Fact]
    public void Without_a_limit_there_is_none()
    {
        FileHandles.ConnectionsWithin(null).ShouldBeNull();
        FileHandles.WarningFor(null).ShouldBeNull();
    }

    [Fact]
    public void This_process_knows_its_own()
    {
        if (OperatingSystem.IsLinux()) (FileHandles.Limit() ?? int.MaxValue).ShouldBeGreaterThan(0);
    }
}
