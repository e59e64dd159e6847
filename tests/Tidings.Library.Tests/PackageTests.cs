using System.Diagnostics;
using System.IO.Compression;
using System.Net.Http.Json;
using System.Xml.Linq;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Library.Tests;

/// <summary>The packages as somebody gets them: packed, read, and referenced by a fresh app outside this repository, which is built and run.</summary>
public sealed class PackageTests
{
    private static readonly string[] Ids = ["Tidings.Protocols", "Tidings.Realtime"];

    private static string Version { get; } = XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("Version").Single().Value;

    [Fact]
    public async Task The_packages_are_complete_and_a_fresh_app_builds_on_them_and_runs()
    {
        var folder = Directory.CreateTempSubdirectory("tidings-packages-");
        try
        {
            var feed = folder.CreateSubdirectory("feed").FullName;
            foreach (var id in Ids) await DotnetAsync(Repository.Root, "pack", $"src/{id}", "-o", feed);
            Directory.GetFiles(feed).Select(file => Path.GetFileName(file)).ShouldBe(
                Ids.SelectMany(id => new[] { $"{id}.{Version}.nupkg", $"{id}.{Version}.snupkg" }), ignoreOrder: true);
            foreach (var id in Ids) CheckContents(Path.Combine(feed, $"{id}.{Version}.nupkg"), id);

            var app = folder.CreateSubdirectory("app").FullName;
            await WriteAppAsync(app, feed);
            await DotnetAsync(app, "build", "-o", "out");
            await using var running = await AppProcess.StartAsync(Path.Combine(app, "out", "app.dll"), app);
            await using var client = await NativeClient.ConnectAsync(running.Address, token: null);
            await client.SubscribeAsync("room:1");
            using var said = await running.Http.PostAsync(new Uri("/say?text=Hello", UriKind.Relative), null);
            var published = await said.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<System.Text.Json.JsonElement>();

            var received = await client.WaitForAsync(message => message.IsOfType("message"), "what was said");
            received.GetProperty("data").Text("text").ShouldBe("Hello");
            received.Text("position").ShouldBe(published.Text("position"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void Nothing_else_is_a_package()
    {
        var packable = Directory.EnumerateFiles(Repository.Root, "*.csproj", SearchOption.AllDirectories)
            .Where(project => !project.Contains($"{Path.DirectorySeparatorChar}node_modules{Path.DirectorySeparatorChar}", StringComparison.Ordinal))
            .Where(project => XDocument.Load(project).Descendants("IsPackable").Any(value => value.Value == "true"))
            .Select(Path.GetFileNameWithoutExtension);

        packable.ShouldBe(Ids, ignoreOrder: true);
        XDocument.Load(Path.Combine(Repository.Root, "Directory.Build.props")).Descendants("IsPackable").Single().Value.ShouldBe("false");
    }

    private static void CheckContents(string package, string id)
    {
        using var archive = ZipFile.OpenRead(package);
        var files = archive.Entries.Select(entry => entry.FullName).ToList();
        files.ShouldContain($"lib/net10.0/{id}.dll");
        files.ShouldContain($"lib/net10.0/{id}.xml");
        files.ShouldContain("README.md");

        using var stream = archive.GetEntry($"{id}.nuspec")!.Open();
        var metadata = XDocument.Load(stream).Root!.Elements().First();
        Text("license").ShouldBe("Apache-2.0");
        Text("readme").ShouldBe("README.md");
        Text("version").ShouldBe(Version);
        Text("description").ShouldNotBe("Package Description");

        string? Text(string name) => metadata.Elements().SingleOrDefault(element => element.Name.LocalName == name)?.Value;
    }

    /// <summary>The app of the package's README, word for word.</summary>
    private static async Task WriteAppAsync(string folder, string feed)
    {
        var readme = await File.ReadAllLinesAsync(Path.Combine(Repository.Root, "src", "Tidings.Protocols", "README.md"));
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "Program.cs"),
            readme.SkipWhile(line => !line.StartsWith("    ", StringComparison.Ordinal)).TakeWhile(line => line.Length == 0 || line.StartsWith("    ", StringComparison.Ordinal))
                .Select(line => line.Length == 0 ? line : line[4..]));
        await File.WriteAllTextAsync(Path.Combine(folder, "app.csproj"), $"""
            <Project Sdk="Microsoft.NET.Sdk.Web">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <ImplicitUsings>enable</ImplicitUsings>
                <Nullable>enable</Nullable>
                <TreatWarningsAsErrors>true</TreatWarningsAsErrors>
                <RestorePackagesPath>packages</RestorePackagesPath>
                <NuGetAudit>false</NuGetAudit>
              </PropertyGroup>
              <ItemGroup>
                <PackageReference Include="Tidings.Protocols" Version="{Version}" />
              </ItemGroup>
            </Project>
            """);
        await File.WriteAllTextAsync(Path.Combine(folder, "nuget.config"), $"""
            <configuration>
              <packageSources>
                <add key="tidings" value="{feed}" />
              </packageSources>
            </configuration>
            """);
    }

    private static async Task DotnetAsync(string folder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [.. arguments, "--nologo"])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["MSBUILDDISABLENODEREUSE"] = "1", ["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1" },
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var errors = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        process.ExitCode.ShouldBe(0, $"dotnet {string.Join(' ', arguments)}\n{await output}\n{await errors}");
    }
}
