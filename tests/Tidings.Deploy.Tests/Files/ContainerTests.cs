using System.Diagnostics;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using System.Xml.Linq;
using Tidings.Testing;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests.Files;

/// <summary>No container engine runs here: what the Dockerfile names is looked for, and its publish command is run in the long run.</summary>
public sealed partial class ContainerTests(ITestOutputHelper output)
{
    [Fact]
    public void Everything_that_is_copied_is_there_and_in_the_build_context()
    {
        var allowed = Shipped.Text("Dockerfile.dockerignore").Split('\n').Where(line => line.StartsWith('!')).Select(line => line[1..]).ToList();
        var copied = Shipped.Dockerfile().Where(line => line.Name == "COPY" && !line.Value.StartsWith("--from", StringComparison.Ordinal))
            .SelectMany(line => line.Value.Split(' ')[..^1]).ToList();
        copied.ShouldContain("src");
        foreach (var path in copied)
        {
            Path.Exists(Path.Combine(Repository.Root, path)).ShouldBeTrue(path);
            allowed.ShouldContain(path);
        }

        foreach (var path in allowed) copied.ShouldContain(path);
        Directory.GetFiles(Repository.Root, "Directory.*").Select(path => Path.GetFileName(path)).ShouldBeSubsetOf(copied, "the build reads them");
    }

    [Fact]
    public void What_it_takes_from_another_stage_is_made_there()
    {
        var lines = Shipped.Dockerfile();
        var stages = lines.Where(line => line.Name == "FROM" && line.Value.Contains(" AS ", StringComparison.Ordinal)).Select(line => line.Value.Split(" AS ")[1]).ToList();
        foreach (var (_, rest) in lines.Where(line => line.Name == "COPY" && line.Value.StartsWith("--from", StringComparison.Ordinal)))
            stages.ShouldContain(From().Match(rest).Groups["stage"].Value);
        lines.ShouldContain(line => line.Name == "RUN" && line.Value.Contains(" -o /app", StringComparison.Ordinal));
        lines.ShouldContain(line => line.Name == "COPY" && line.Value == "--from=page /src/web/dist wwwroot/");
        File.ReadAllText(Path.Combine(Repository.Root, "web", "vite.config.ts")).ShouldNotContain("outDir: '../", customMessage: "the page is taken from web/dist");
    }

    [Fact]
    public void It_runs_the_server_without_rights_and_asks_it_with_its_own_command()
    {
        var lines = Shipped.Dockerfile().ToLookup(line => line.Name, line => line.Value);
        var binary = $"{AssemblyName()}.dll";
        lines["ENTRYPOINT"].ShouldHaveSingleItem().ShouldBe($"""["dotnet", "{binary}"]""");
        lines["HEALTHCHECK"].ShouldHaveSingleItem().ShouldEndWith($"""CMD ["dotnet", "{binary}", "health"]""");
        lines["USER"].ShouldHaveSingleItem().ShouldMatch("^[1-9][0-9]+:[1-9][0-9]+$");
        lines["STOPSIGNAL"].ShouldHaveSingleItem().ShouldBe("SIGTERM");
        lines["VOLUME"].ShouldHaveSingleItem().ShouldBe("/data");
        lines["ENV"].ShouldHaveSingleItem().ShouldContain("Tidings__DataDirectory=/data");
        lines["ENV"].Single().ShouldContain($"ASPNETCORE_URLS=http://0.0.0.0:{lines["EXPOSE"].ShouldHaveSingleItem()}");
    }

    [Fact]
    public void Its_versions_are_those_of_this_tree()
    {
        var framework = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("TargetFramework").Single().Value[3..];
        foreach (var image in (string[])["sdk", "aspnet"]) Shipped.Text("Dockerfile").ShouldContain($"/dotnet/{image}:{framework}");
        File.ReadAllText(Path.Combine(Repository.Root, "package.json")).ShouldContain("\"node\": \">=20\"");
        Shipped.Text("Dockerfile").ShouldContain("FROM --platform=$BUILDPLATFORM node:20-");
    }

    [Theory]
    [InlineData("compose.yaml")]
    [InlineData("compose.cluster.yaml")]
    public void Compose_files_mount_what_is_there_and_use_what_they_declare(string file)
    {
        var root = Shipped.Yaml(file).ShouldHaveSingleItem();
        var volumes = root.At("volumes").AllKeys();
        var networks = root.At("networks").AllKeys();
        foreach (var (name, service) in root.At("services").Children())
        {
            foreach (var mount in service.List("volumes"))
            {
                var source = mount.Split(':')[0];
                if (source.StartsWith('.')) Path.Exists(Path.Combine(Shipped.Folder, source)).ShouldBeTrue($"{name}: {source}");
                else volumes.ShouldContain(source, name);
            }

            if (service.Has("build"))
            {
                File.Exists(Path.Combine(Shipped.Folder, service.TextAt("build", "context"), service.TextAt("build", "dockerfile"))).ShouldBeTrue();
                service.List("cap_drop").ShouldBe(["ALL"]);
                service.TextAt("read_only").ShouldBe("true");
                int.Parse(service.TextAt("stop_grace_period").TrimEnd('s'), System.Globalization.CultureInfo.InvariantCulture).ShouldBeGreaterThan(10, "the server's own time to stop");
            }

            foreach (var network in service.At("networks").AllKeys()) networks.ShouldContain(network, name);
            foreach (var port in service.List("ports")) port.ShouldStartWith("127.0.0.1:", customMessage: "nothing is open to the world by itself");
        }
    }

    [Fact]
    public void The_cluster_has_a_line_for_each_secret_and_nginx_names_each_node()
    {
        var text = Shipped.Text("compose.cluster.yaml");
        var wanted = Variable().Matches(text).Select(match => match.Groups["name"].Value).Distinct().Order();
        Shipped.Environment("cluster.env.example").Keys.Order().ShouldBe(wanted);

        var port = Shipped.Dockerfile().Single(line => line.Name == "EXPOSE").Value;
        var nodes = Shipped.Yaml("compose.cluster.yaml")[0].At("services").AllKeys().Where(name => name.StartsWith("tidings", StringComparison.Ordinal)).Select(name => $"{name}:{port}").ToList();
        nodes.Count.ShouldBe(3);
        foreach (var upstream in Shipped.Text("nginx", "compose.conf").Split("upstream ")[1..])
            Server().Matches(upstream).Select(match => match.Groups["address"].Value).ShouldBe(nodes);

        Shipped.Yaml("compose.cluster.yaml")[0].TextAt("services", "nginx", "networks", "tidings", "ipv4_address")
            .ShouldBe(Shipped.Yaml("compose.cluster.yaml")[0].TextAt("services", "tidings-1", "environment", "Tidings__TrustedProxies__0"));
        Shipped.Yaml("compose.yaml")[0].List("services", "tidings", "ports").ShouldHaveSingleItem().ShouldEndWith($":{port}");
    }

    [Fact]
    public async Task The_publish_command_makes_a_server_that_runs()
    {
        var command = Shipped.Dockerfile().Single(line => line.Name == "RUN" && line.Value.Contains("dotnet publish", StringComparison.Ordinal)).Value;
        command.ShouldContain("-p:PublishReadyToRun=true");
        File.Exists(Path.Combine(Repository.Root, "src", "Tidings.Server", "Tidings.Server.csproj")).ShouldBeTrue();
        if (!TestRun.IsLong)
        {
            output.WriteLine("It is run by ./test.sh --long.");
            return;
        }

        var folder = Directory.CreateTempSubdirectory("tidings-publish-");
        try
        {
            // Where the build has nothing but what was copied for it, as in the container.
            var stage = Shipped.Dockerfile().SkipWhile(line => !(line.Name == "FROM" && line.Value.EndsWith(" AS build", StringComparison.Ordinal))).Skip(1).TakeWhile(line => line.Name != "FROM");
            foreach (var path in stage.Where(line => line.Name == "COPY").SelectMany(line => line.Value.Split(' ')[..^1]))
                Copy(Path.Combine(Repository.Root, path), Path.Combine(folder.FullName, "src", path));
            var architecture = RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "arm64" : "amd64";
            await RunAsync("sh", ["-c", command.Replace("-o /app", $"-o {folder}/app", StringComparison.Ordinal)], Path.Combine(folder.FullName, "src"), new() { ["TARGETARCH"] = architecture });
            await using var server = await AppProcess.StartAsync(Path.Combine(folder.FullName, "app", "Tidings.Server.dll"), folder.FullName);
            await RunAsync("dotnet", [Path.Combine(folder.FullName, "app", "Tidings.Server.dll"), "health", "--url", server.Address.GetLeftPart(UriPartial.Authority)], folder.FullName, []);
            (await server.StopAsync()).ShouldBe(0);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    internal static string AssemblyName() =>
        XDocument.Load(Path.Combine(Repository.Root, "src", "Tidings.Server", "Tidings.Server.csproj")).Descendants("AssemblyName").Single().Value;

    private static void Copy(string from, string to)
    {
        if (File.Exists(from))
        {
            Directory.CreateDirectory(Path.GetDirectoryName(to)!);
            File.Copy(from, to);
            return;
        }

        foreach (var entry in Directory.GetFileSystemEntries(from))
            if (Path.GetFileName(entry) is not ("bin" or "obj" or "node_modules" or "dist") and var name) Copy(entry, Path.Combine(to, name));
    }

    private static async Task RunAsync(string command, string[] arguments, string folder, Dictionary<string, string> variables)
    {
        var start = new ProcessStartInfo(command, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in variables) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var said = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"{await said}\n{await errors}");
    }

    [GeneratedRegex("^--from=(?<stage>[a-z]+) ")]
    private static partial Regex From();

    [GeneratedRegex(@"(?<!\$)\$\{(?<name>\w+)")]
    private static partial Regex Variable();

    [GeneratedRegex("^    server (?<address>[^ ;]+)", RegexOptions.Multiline)]
    private static partial Regex Server();
}
