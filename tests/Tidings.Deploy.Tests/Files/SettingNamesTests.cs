using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Tidings.Server.Host;

namespace Tidings.Deploy.Tests.Files;

/// <summary>Every setting that a shipped file names is one that the server has.</summary>
public sealed partial class SettingNamesTests
{
    public static TheoryData<string> Files =>
        [.. Directory.GetFiles(Shipped.Folder, "*", SearchOption.AllDirectories).Select(path => Path.GetRelativePath(Shipped.Folder, path)).Where(name => Named(Shipped.Text(name)).Count > 0)];

    [Fact]
    public void There_are_such_files() => Files.Count.ShouldBeGreaterThanOrEqualTo(7);

    [Theory]
    [MemberData(nameof(Files))]
    public void Every_setting_named_is_known(string file) => KnownSettings.WarningsFor(Configuration(Named(Shipped.Text(file)))).ShouldBeEmpty();

    [Fact]
    public void One_that_is_not_would_be_noticed() =>
        KnownSettings.WarningsFor(Configuration(Named("Environment=Tidings__DataDirectroy=/var/lib/tidings"))).ShouldHaveSingleItem().ShouldContain("did you mean Tidings:DataDirectory");

    [Fact]
    public void The_examples_secrets_are_refused_each_by_its_name()
    {
        var kubernetes = Shipped.Yaml("kubernetes", "secret.example.yaml").ShouldHaveSingleItem().At("stringData").Pairs();
        var values = Shipped.Environment("cluster.env.example");
        var compose = Shipped.Yaml("compose.cluster.yaml").ShouldHaveSingleItem().At("services", "tidings-1", "environment").Pairs()
            .ToDictionary(pair => pair.Key, pair => Variable().Replace(pair.Value, match => values[match.Groups["name"].Value]));

        foreach (var settings in (Dictionary<string, string>[])[kubernetes, compose])
        {
            var problems = Should.Throw<StartRefusedException>(() => OptionsReader.Read(Configuration(settings))).Problems;
            foreach (var name in (string[])["Tidings:Auth:Secret", "Tidings:App:Key", "Tidings:App:Secret", "Tidings:EncryptionKeys"])
                problems.ShouldContain(problem => problem.StartsWith(name, StringComparison.Ordinal), name);
        }
    }

    [Fact]
    public void Filled_in_they_start()
    {
        foreach (var settings in (Dictionary<string, string>[])
            [Shipped.Yaml("kubernetes", "secret.example.yaml")[0].At("stringData").Pairs(), Shipped.Yaml("compose.cluster.yaml")[0].At("services", "tidings-1", "environment").Pairs()])
        {
            var filled = settings.ToDictionary(pair => pair.Key, pair => Placeholder().Replace(pair.Value, _ => System.Security.Cryptography.RandomNumberGenerator.GetHexString(64)));
            OptionsReader.Read(Configuration(filled)).IsShared.ShouldBeTrue();
        }
    }

    private static Dictionary<string, string> Named(string text) =>
        Name().Matches(text).Select(match => match.Value).Distinct().ToDictionary(name => name, _ => "x");

    private static IConfiguration Configuration(Dictionary<string, string> variables) => new ConfigurationBuilder()
        .AddInMemoryCollection(variables.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), (string?)pair.Value)))
        .Build();

    [GeneratedRegex("Tidings__[A-Za-z0-9_]+")]
    private static partial Regex Name();

    [GeneratedRegex(@"\$\{(?<name>\w+)(:\?[^}]*)?\}")]
    private static partial Regex Variable();

    [GeneratedRegex(@"\$\{[^}]*\}|<?changeme>?")]
    private static partial Regex Placeholder();
}
