using Microsoft.Extensions.Options;
using Shouldly;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.Admission;

public class ExactOriginsTests
{
    [Theory]
    [InlineData("https://app.example", true)]
    [InlineData("http://localhost:3000", true)]
    [InlineData("https://[::1]:8443", true)]
    [InlineData("*", false)]
    [InlineData("https://*.example", false)]
    [InlineData("https://app.example/", false)]
    [InlineData("https://app.example/path", false)]
    [InlineData("https://App.example", false)]
    [InlineData("https://app.example:443", false)]
    [InlineData("app.example", false)]
    [InlineData("null", false)]
    [InlineData("ws://app.example", false)]
    public void An_origin_is_written_as_a_browser_sends_it(string text, bool isOrigin) => ExactOrigins.IsOrigin(text).ShouldBe(isOrigin);

    [Fact]
    public async Task An_origin_that_could_never_match_refuses_to_start()
    {
        var refusal = await Should.ThrowAsync<OptionsValidationException>(TestServer.StartAsync(configure: static options => options.AllowedOrigins.Add("*")));

        refusal.Message.ShouldContain("https://app.example");
    }
}
