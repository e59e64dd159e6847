using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Shouldly;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Testing.Platforms;
using Xunit;

namespace Tidings.Server.Tests.Publishing;

/// <summary>Where requests go out to, and what is known of those that fail.</summary>
public sealed class OutgoingHttpTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("0.0.0.0")]
    [InlineData("10.1.2.3")]
    [InlineData("172.31.255.255")]
    [InlineData("192.168.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("169.254.169.254")]
    [InlineData("168.63.129.16")]
    [InlineData("192.0.0.192")]
    [InlineData("198.18.0.1")]
    [InlineData("224.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("::7f00:1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")]
    [InlineData("fe80::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("64:ff9b::7f00:1")]
    [InlineData("64:ff9b:1::a00:1")]
    [InlineData("2002:7f00:1::")]
    [InlineData("2001:0:7f00:1::")]
    [InlineData("2001:db8::1")]
    public void An_address_that_is_not_public_is_refused(string address) => PublicAddresses.Contains(IPAddress.Parse(address)).ShouldBeFalse();

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("172.32.0.1")]
    [InlineData("100.128.0.1")]
    [InlineData("2606:4700::1111")]
    [InlineData("2a00:1450:4001::1")]
    public void A_public_address_is_not(string address) => PublicAddresses.Contains(IPAddress.Parse(address)).ShouldBeTrue();

    [Theory]
    [InlineData("http://example.org/")]
    [InlineData("https://example.org:8080/")]
    [InlineData("https://user@example.org/")]
    [InlineData("https://127.0.0.1/")]
    [InlineData("https://0x7f.1/")]
    [InlineData("https://2130706433/")]
    [InlineData("https://017700000001/")]
    [InlineData("https://[::ffff:127.0.0.1]/")]
    [InlineData("https://[::1]/")]
    [InlineData("ftp://example.org/")]
    public void An_address_that_may_not_be_called_is_said_so_at_once(string url)
    {
        using var http = new OutgoingHttp(allowsPrivate: false, TimeProvider.System);
        http.ProblemOf(new Uri(url)).ShouldNotBeNullOrEmpty();
    }

    [Fact]
    public async Task A_name_is_judged_where_the_connection_is_made()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var answers = new Queue<IPAddress[]>([[IPAddress.Loopback], [IPAddress.Parse("8.8.8.8"), IPAddress.Loopback], [IPAddress.IPv6Loopback], []]);
        using var http = new OutgoingHttp(allowsPrivate: false, TimeProvider.System, (_, _) => Task.FromResult(answers.Dequeue()));
        while (answers.Count > 0)
        {
            var answer = await PostAsync(http, new Uri("https://rebound.test/"));
            answer.End.ShouldBe(OutgoingEnd.NotSent);
            answer.Problem!.ShouldContain("rebound.test");
        }

        listener.Pending().ShouldBeFalse();
    }

    [Fact]
    public async Task Redirects_are_not_followed_and_long_answers_are_cut()
    {
        await using var server = new Misbehaving();
        await server.StartAsync();
        using var http = new OutgoingHttp(allowsPrivate: true, TimeProvider.System);
        (await PostAsync(http, new Uri(server.Address, "/redirect"))).Status.ShouldBe(302);
        server.Requests.ShouldBe(["POST /redirect"]);

        var big = await PostAsync(http, new Uri(server.Address, "/big"));
        big.Status.ShouldBe(200);
        big.IsWhole.ShouldBeFalse();
        big.Json.ValueKind.ShouldBe(System.Text.Json.JsonValueKind.Undefined);
    }

    [Fact]
    public async Task What_fails_before_the_body_is_not_sent_and_what_fails_after_is_unknown()
    {
        await using var server = new Misbehaving();
        await server.StartAsync();
        using var http = new OutgoingHttp(allowsPrivate: true, TimeProvider.System);

        (await PostAsync(http, new UriBuilder(server.Address) { Scheme = "https" }.Uri)).End.ShouldBe(OutgoingEnd.NotSent); // it speaks no TLS
        (await PostAsync(http, new Uri("http://no-such-name.invalid/"))).End.ShouldBe(OutgoingEnd.NotSent);
        (await PostAsync(http, new Uri(server.Address, "/silent"), TimeSpan.FromMilliseconds(300))).End.ShouldBe(OutgoingEnd.Unknown);
        (await PostAsync(http, new Uri(server.Address, "/cut"))).End.ShouldBe(OutgoingEnd.Unknown);
        var late = await PostAsync(http, new Uri(server.Address, "/half"), TimeSpan.FromSeconds(2));
        (late.Status, late.IsWhole).ShouldBe((200, false)); // the status was there
        await server.StopAsync();
        (await PostAsync(http, server.Address)).End.ShouldBe(OutgoingEnd.NotSent);
    }

    private static async Task<OutgoingAnswer> PostAsync(OutgoingHttp http, Uri url, TimeSpan? within = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent("{}", Encoding.UTF8, "application/json") };
        return await http.SendAsync(request, default, within);
    }

    /// <summary>A server that does each thing that an outgoing request must survive.</summary>
    private sealed class Misbehaving : PlatformDouble
    {
        protected override void Map(IEndpointRouteBuilder routes)
        {
            routes.MapPost("/redirect", () => Results.Redirect("http://169.254.169.254/latest/meta-data/"));
            routes.MapPost("/big", () => Results.Text($"\"{new string('x', OutgoingHttp.MaxAnswerBytes)}\"", "application/json"));
            routes.MapPost("/silent", (HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted));
            routes.MapPost("/cut", (HttpContext context) => context.Abort());
            routes.MapPost("/half", async (HttpContext context) =>
            {
                context.Response.ContentLength = 100;
                await context.Response.WriteAsync("half");
                await context.Response.Body.FlushAsync();
                await Task.Delay(Timeout.Infinite, context.RequestAborted);
            });
        }
    }
}
