using System.Globalization;
using System.Text.RegularExpressions;
using Tidings.Realtime;
using Tidings.Server.Host;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Nginx;

public sealed partial class ConfigurationTests
{
    private static readonly string Site = File.ReadAllText(Path.Combine(NginxConfiguration.Source, "tidings", "site.conf"));

    public static TheoryData<string> Sites => [.. Directory.GetFiles(NginxConfiguration.Source, "*.conf").Select(path => Path.GetFileName(path)).Where(name => name != "nginx.conf")];

    [Theory]
    [MemberData(nameof(Sites))]
    public async Task Nginx_takes_every_shipped_file(string site)
    {
        using var configuration = new NginxConfiguration(new NginxSettings { Site = site, Nodes = [new Uri("http://127.0.0.1:5001"), new Uri("http://127.0.0.1:5002")] });
        var (exitCode, said) = await NginxServer.CheckAsync(configuration);
        said.ShouldContain("syntax is ok");
        said.ShouldNotContain("[warn]");
        exitCode.ShouldBe(0, said);
    }

    [Fact]
    public async Task A_mistake_would_be_noticed()
    {
        using var configuration = new NginxConfiguration(new NginxSettings
        {
            Site = "compose.conf",
            Nodes = [new Uri("http://127.0.0.1:5001")],
            Changes = new Dictionary<string, string> { ["proxy_http_version 1.1"] = "proxy_http_versoin 1.1" },
        });
        (await NginxServer.CheckAsync(configuration)).ExitCode.ShouldNotBe(0);
    }

    [Fact]
    public void Its_times_and_sizes_suit_the_servers()
    {
        var options = new RealtimeOptions();
        var quiet = Seconds("proxy_read_timeout");
        quiet.ShouldBeGreaterThan((options.HeartbeatInterval + options.PongTimeout).TotalSeconds, "silence before our ping must not be cut");
        quiet.ShouldBeGreaterThan(2 * options.StreamHeartbeatInterval.TotalSeconds);
        Seconds("proxy_send_timeout").ShouldBeGreaterThan(options.WriteTimeout.TotalSeconds);
        (int.Parse(Value("client_max_body_size").TrimEnd('m'), CultureInfo.InvariantCulture) * 1024L * 1024).ShouldBeGreaterThan(JsonBodies.MaxBytes);
        int.Parse(Value("limit_conn").Split(' ')[1], CultureInfo.InvariantCulture).ShouldBeGreaterThan(200, "the server's own limit of an address answers first");
        Site.ShouldNotContain("ip_hash");
    }

    [Fact]
    public async Task Its_paths_are_the_servers()
    {
        await using var server = await ServerProcess.StartAsync();
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = server.Address };
        var paths = Locations().Matches(Site).Select(match => match.Groups["path"].Value).ToList();
        paths.Count.ShouldBeGreaterThanOrEqualTo(4);
        foreach (var path in paths)
        {
            using var answer = await http.GetAsync(path == "/health/" ? "/health/live" : path, HttpCompletionOption.ResponseHeadersRead);
            ((int)answer.StatusCode).ShouldNotBe(404, path);
        }
    }

    private static string Value(string directive) =>
        Regex.Match(Site, $@"^{directive} (?<value>[^;]+);", RegexOptions.Multiline) is { Success: true } match ? match.Groups["value"].Value : throw new ArgumentException($"site.conf has no {directive}.");

    private static double Seconds(string directive) => double.Parse(Value(directive).TrimEnd('s'), CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^location (?:= )?(?<path>/[\w/]+) \{", RegexOptions.Multiline)]
    private static partial Regex Locations();
}
