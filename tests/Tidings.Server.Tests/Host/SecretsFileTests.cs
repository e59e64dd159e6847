using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class SecretsFileTests : IDisposable
{
    private const string Good = "Zq4uV9xT2mLr8KpWc7NhYb3GdFsJ6aEe1XoQ5RiU";

    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-secrets-").FullName;
    private readonly List<string> _warnings = [];

    private string Data => Path.Combine(_folder, "data");

    private string File => Path.Combine(Data, "secrets.json");

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void The_first_start_makes_them_and_the_second_finds_them()
    {
        var first = SecretsFile.ReadOrCreate(Data, _warnings.Add);
        var second = SecretsFile.ReadOrCreate(Data, _warnings.Add);

        WeakSecrets.ProblemOf(first.AuthSecret).ShouldBeNull();
        WeakSecrets.ProblemOf(first.AppSecret).ShouldBeNull();
        first.AuthSecret.ShouldNotBe(first.AppSecret);
        (second.AuthSecret, second.AppKey, second.AppSecret).ShouldBe((first.AuthSecret, first.AppKey, first.AppSecret));
        _warnings.ShouldBeEmpty();
        Directory.GetFiles(Data).ShouldBe([File]);
    }

    [Fact]
    public void Nobody_else_may_read_them()
    {
        if (OperatingSystem.IsWindows()) return;
        SecretsFile.ReadOrCreate(Data, _warnings.Add);
        System.IO.File.GetUnixFileMode(File).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite);
        System.IO.File.GetUnixFileMode(Data).ShouldBe(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        System.IO.File.SetUnixFileMode(File, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
        SecretsFile.ReadOrCreate(Data, _warnings.Add);
        _warnings.ShouldHaveSingleItem().ShouldContain("chmod 600");
    }

    [Fact]
    public async Task Two_processes_that_start_at_once_get_the_same()
    {
        var all = await Task.WhenAll(Enumerable.Range(0, 16).Select(_ => Task.Run(() => SecretsFile.ReadOrCreate(Data, _ => { }))));
        all.Select(content => content.AuthSecret).Distinct().ShouldHaveSingleItem();
        Directory.GetFiles(Data).ShouldBe([File]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"authSecret":"Zq4uV9xT2mLr8KpWc7NhYb3GdFsJ6aEe1XoQ5RiU","appKey":"k"}""")]
    [InlineData("""{"authSecret":"short","appKey":"k","appSecret":"Zq4uV9xT2mLr8KpWc7NhYb3GdFsJ6aEe1XoQ5RiU"}""")]
    [InlineData("""{"authSecret":7}""")]
    public void A_damaged_file_stops_the_start_and_stays_as_it_is(string content)
    {
        Directory.CreateDirectory(Data);
        System.IO.File.WriteAllText(File, content);

        var problem = Should.Throw<StartRefusedException>(() => SecretsFile.ReadOrCreate(Data, _warnings.Add)).Problems.ShouldHaveSingleItem();

        problem.ShouldContain("is damaged");
        problem.ShouldNotContain(Good);
        System.IO.File.ReadAllText(File).ShouldBe(content);
    }

    [Fact]
    public void A_data_directory_that_is_a_file_stops_the_start()
    {
        System.IO.File.WriteAllText(Data, "x");
        Should.Throw<StartRefusedException>(() => SecretsFile.ReadOrCreate(Data, _warnings.Add)).Problems.ShouldHaveSingleItem().ShouldContain("cannot be used");
    }

    [Fact]
    public void What_is_configured_goes_before_what_was_generated()
    {
        var secrets = HostSecrets.Resolve(Options(("Auth:Secret", Good)), _warnings.Add);
        System.Text.Encoding.UTF8.GetString(secrets.AuthKey).ShouldBe(Good);

        using var file = JsonDocument.Parse(System.IO.File.ReadAllText(File));
        secrets.AppSecret.ShouldBe(file.RootElement.GetProperty("appSecret").GetString());
        secrets.AppKey.ShouldBe(file.RootElement.GetProperty("appKey").GetString());
        secrets.ToString()!.ShouldNotContain(secrets.AppSecret);
    }

    [Fact]
    public void No_file_is_made_if_all_is_configured()
    {
        HostSecrets.Resolve(Options(("Auth:Secret", Good), ("App:Key", "k"), ("App:Secret", new string([.. Good.Reverse()]))), _warnings.Add);
        System.IO.File.Exists(File).ShouldBeFalse();
    }

    [Fact]
    public void Nodes_that_share_a_database_generate_none()
    {
        Should.Throw<StartRefusedException>(() => HostSecrets.Resolve(Options(("Database", "Host=db"), ("EncryptionKeys", Good)), _warnings.Add)).Problems.ShouldHaveSingleItem().ShouldContain("must be set");
        System.IO.File.Exists(File).ShouldBeFalse();
    }

    private TidingsOptions Options(params (string Key, string Value)[] settings) => OptionsReader.Read(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Append(("DataDirectory", Data)).Select(setting => KeyValuePair.Create($"Tidings:{setting.Item1}", (string?)setting.Item2))).Build());
}
