using Tidings.Server.Scaleout.Redis;

namespace Tidings.Scaleout.Tests.Redis;

public sealed class RedisInstallationTests
{
    [Theory]
    [InlineData("redis:6380", "redis:6380")]
    [InlineData("redis", "redis:6379")]
    [InlineData("10.0.0.1:1, 10.0.0.2:2", "10.0.0.1:1,10.0.0.2:2")]
    [InlineData("[::1]:7", "::1:7")]
    [InlineData("::1", "::1:6379")]
    [InlineData("a,b:5,serviceName=main", "a:26379,b:5 (main)")]
    [InlineData("redis,user=app,password=a=b,ssl=true", "redis:6379")]
    public void An_installation_is_read(string text, string shown)
    {
        RedisInstallation.Parse(text, out var installation).ShouldBeNull();
        installation!.ToString().ShouldBe(shown);
    }

    [Fact]
    public void All_options_are_read()
    {
        RedisInstallation.Parse("s1,s2,user=app,password=a=b,ssl=True,serviceName=main,sentinelPassword=c", out var read).ShouldBeNull();
        (read!.User, read.Password, read.IsTls, read.ServiceName, read.SentinelPassword).ShouldBe(("app", "a=b", true, "main", "c"));
    }

    [Theory]
    [InlineData("", "needs 1 to 32 addresses")]
    [InlineData("password=x", "needs 1 to 32 addresses")]
    [InlineData("redis://redis:6379", "without redis://")]
    [InlineData("redis:0", "write an address")]
    [InlineData("redis:port", "write an address")]
    [InlineData("re dis", "write an address")]
    [InlineData("redis,abortConnect=false", "'abortConnect', which is not an option")]
    [InlineData("redis,password=", "nothing after 'password='")]
    [InlineData("redis,user=app", "a user without a password")]
    [InlineData("redis,sentinelPassword=s3cret", "without a serviceName")]
    [InlineData("redis,ssl=s3cret", "neither true nor false")]
    public void What_is_wrong_is_said_without_a_secret(string text, string problem)
    {
        var said = RedisInstallation.Parse(text, out _);
        said.ShouldNotBeNull().ShouldContain(problem);
        said.ShouldNotContain("s3cret");
    }

    [Theory]
    [InlineData("127.0.0.1:6379", false)]
    [InlineData("localhost", false)]
    [InlineData("redis.example.com", true)]
    [InlineData("redis.example.com,password=x", false)]
    public void Redis_without_a_password_outside_of_this_machine_is_noticed(string text, bool isOpen) => Brokers.Parse(text).IsOpenToOthers.ShouldBe(isOpen);
}
