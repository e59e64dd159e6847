using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using Tidings.Server.Host;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Files;

/// <summary>The units, judged by systemd's own checker. No systemd runs here; that the system calls suffice is shown by a trace.</summary>
public sealed partial class SystemdTests
{
    public static TheoryData<string> Units => ["tidings.service", "tidings@.service"];

    [Theory]
    [MemberData(nameof(Units))]
    public async Task Systemd_takes_the_unit_without_a_remark(string unit)
    {
        var (exitCode, said) = await AnalyzeAsync(unit, text => text, "verify");
        said.ShouldBeEmpty();
        exitCode.ShouldBe(0);
    }

    [Fact]
    public async Task A_mistake_would_be_noticed() =>
        (await AnalyzeAsync("tidings.service", text => text.Replace("ProtectHome=", "ProtectHoem=", StringComparison.Ordinal), "verify")).Said.ShouldContain("ProtectHoem");

    [Theory]
    [MemberData(nameof(Units))]
    public async Task Systemd_calls_its_exposure_ok(string unit)
    {
        var (_, said) = await AnalyzeAsync(unit, text => text, "security", "--offline=true", "--no-pager");
        double.Parse(Exposure().Match(said).Groups["level"].Value, CultureInfo.InvariantCulture).ShouldBeLessThanOrEqualTo(2, said);
    }

    [Theory]
    [InlineData("tidings.service", "one-node.conf", "127.0.0.1:5000")]
    [InlineData("tidings@.service", "several-nodes.conf", "127.0.0.1:%i")]
    public async Task It_starts_the_server_where_nginx_looks_for_it_and_waits_with_a_command_there_is(string unit, string site, string address)
    {
        var text = Shipped.Text("systemd", unit);
        var binary = $"/opt/tidings/{ContainerTests.AssemblyName()}.dll";
        text.ShouldContain($"\nExecStart=/usr/bin/dotnet {binary} --urls http://{address}\n");
        var ports = address.Contains('%', StringComparison.Ordinal) ? Instances().Match(text).Groups["ports"].Value.Split(' ').Select(name => name.Split('@')[1]).ToArray() : ["5000"];
        foreach (var upstream in Shipped.Text("nginx", site).Split("upstream ")[1..])
            Server().Matches(upstream).Select(match => match.Groups["address"].Value).ShouldBe(ports.Select(port => $"127.0.0.1:{port}"));

        var post = Regex.Match(text, $@"\nExecStartPost=/usr/bin/dotnet {Regex.Escape(binary)} (?<command>.+)\n").Groups["command"].Value.Replace("%i", ports[0], StringComparison.Ordinal).Split(' ');
        using var output = new StringWriter();
        using var errors = new StringWriter();
        string[] command = [.. post[..^1], "1"];   // nobody is there: one second is enough to see that it was understood
        (await CommandLine.TryRunAsync(command, static () => new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build(), output, errors)).ShouldBeOneOf([0, 1], errors.ToString());
    }

    [Theory]
    [MemberData(nameof(Units))]
    public void It_gives_the_server_time_to_stop_and_keeps_its_data_where_it_may_write(string unit)
    {
        const int ServersOwnSeconds = 10;   // HostOptions.ShutdownTimeout
        var lines = Shipped.Text("systemd", unit).Split('\n').Where(line => line.Contains('=') && line[0] != '#').ToLookup(line => line.Split('=', 2)[0], line => line.Split('=', 2)[1]);
        int.Parse(lines["TimeoutStopSec"].Single(), CultureInfo.InvariantCulture).ShouldBeGreaterThan(ServersOwnSeconds);
        lines["Environment"].ShouldContain($"Tidings__DataDirectory=/var/lib/{lines["StateDirectory"].Single()}");
        lines["DynamicUser"].ShouldBe(["yes"]);
        lines["SystemCallFilter"].ShouldContain("@system-service");
    }

    [Fact]
    public async Task The_server_calls_nothing_of_the_kernel_that_the_units_forbid()
    {
        var folder = Directory.CreateTempSubdirectory("tidings-calls-");
        try
        {
            var trace = Path.Combine(folder.FullName, "trace");
            await using (var server = await ServerProcess.StartAsync(new ServerSettings { Launcher = ["strace", "-D", "-f", "-qq", "-e", "signal=none", "-o", trace] }))
            {
                using var author = await Account.OfHostAsync(server, "traced");
                await using var socket = await NativeClient.ConnectAsync(author);
                await socket.SubscribeAsync(author.Creator);
                await author.PostAsync("from inside the sandbox");
                await socket.WaitForAsync(message => message.IsOfType("post_created"), "the post");
                await server.StopAsync();
            }

            var called = Calls().Matches(await File.ReadAllTextAsync(trace)).Select(match => match.Groups["name"].Value).ToHashSet();
            called.Count.ShouldBeGreaterThan(40);
            var allowed = await CallsOfAsync("@default");
            allowed.UnionWith(await CallsOfAsync("@system-service"));
            allowed.ExceptWith(await CallsOfAsync("@privileged"));
            if (Environment.IsPrivilegedProcess) allowed.Add("fchown");   // SQLite's, as root only
            called.Except(allowed).ShouldBeEmpty();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    /// <summary>The system calls of a group, its own groups included.</summary>
    private static async Task<HashSet<string>> CallsOfAsync(string group)
    {
        using var process = Process.Start(new ProcessStartInfo("systemd-analyze", ["--no-pager", "syscall-filter", group]) { RedirectStandardOutput = true })!;
        var lines = (await process.StandardOutput.ReadToEndAsync()).Split('\n').Skip(1).Select(line => line.Trim()).Where(line => line.Length > 0 && line[0] != '#').ToList();
        await process.WaitForExitAsync();
        var calls = lines.Where(line => line[0] != '@').ToHashSet();
        foreach (var inner in lines.Where(line => line[0] == '@')) calls.UnionWith(await CallsOfAsync(inner));
        return calls;
    }

    /// <summary>Runs systemd-analyze on a copy whose runtime is where it is here.</summary>
    private static async Task<(int ExitCode, string Said)> AnalyzeAsync(string unit, Func<string, string> change, params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("tidings-units-");
        try
        {
            var copy = Path.Combine(folder.FullName, unit);
            await File.WriteAllTextAsync(copy, change(Shipped.Text("systemd", unit)).Replace("/usr/bin/dotnet", Environment.ProcessPath, StringComparison.Ordinal));
            using var process = Process.Start(new ProcessStartInfo("systemd-analyze", [.. arguments, copy]) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            var output = process.StandardOutput.ReadToEndAsync();
            var errors = process.StandardError.ReadToEndAsync();
            await process.WaitForExitAsync();
            return (process.ExitCode, (await output + await errors).Trim());
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [GeneratedRegex(@"(?m)^\d+ +(?<name>[a-z][a-z0-9_]+)\(")]
    private static partial Regex Calls();

    [GeneratedRegex(@"exposure level for [^:]+: (?<level>[0-9.]+)")]
    private static partial Regex Exposure();

    [GeneratedRegex(@"enable --now (?<ports>tidings@\d+( tidings@\d+)+)")]
    private static partial Regex Instances();

    [GeneratedRegex("^    server (?<address>[^ ;]+)", RegexOptions.Multiline)]
    private static partial Regex Server();
}
