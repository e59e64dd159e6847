using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;
using Tidings.Server.Tests.Auth;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class CommandLineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-command-").FullName;
    private readonly Dictionary<string, string?> _settings = new() { ["Tidings:Auth:Secret"] = TokenForge.Secret };
    private readonly StringWriter _output = new();
    private readonly StringWriter _errors = new();

    public CommandLineTests() => _settings["Tidings:DataDirectory"] = _folder;

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _output.Dispose();
        _errors.Dispose();
    }

    [Theory]
    [InlineData]
    [InlineData("--urls", "http://localhost:8080")]
    public async Task Without_a_command_it_is_the_server(params string[] args) => (await RunAsync(args)).ShouldBeNull();

    [Theory]
    [InlineData(60, "token", "--user", "42")]
    [InlineData(5, "token", "--minutes", "5", "--user", "42")]
    [InlineData(5, "token", "--user=42", "--minutes=5")]
    public async Task A_token_and_nothing_else_is_printed(int minutes, params string[] args)
    {
        (await RunAsync(args)).ShouldBe(0);

        var token = _output.ToString().TrimEnd('\n', '\r');
        var jwt = TokenForge.Validator(TimeProvider.System).Validate(token).Jwt!;
        jwt.UserId.ShouldBe("42");
        (jwt.ExpiresAt - TimeProvider.System.GetUtcNow()).TotalMinutes.ShouldBeInRange(minutes - 1, minutes);
        _errors.ToString().ShouldContain("good until");
        _errors.ToString().ShouldNotContain(token);
    }

    [Fact]
    public async Task The_token_is_signed_with_the_generated_secret_if_none_is_configured()
    {
        _settings.Remove("Tidings:Auth:Secret");
        (await RunAsync("token", "--user", "42")).ShouldBe(0);

        var secret = SecretsFile.ReadOrCreate(_folder, _ => { }).AuthSecret;
        var keys = new JwtKeys(new HmacKey(System.Text.Encoding.UTF8.GetBytes(secret)), remote: null);
        new JwtValidator(new JwtRules(), keys, TimeProvider.System).Validate(_output.ToString().Trim()).Error.ShouldBe(JwtError.None);
    }

    [Theory]
    [InlineData("--user is missing", "token")]
    [InlineData("--user needs a value", "token", "--user")]
    [InlineData("--user must have", "token", "--user", "a b")]
    [InlineData("--minutes must be", "token", "--user", "42", "--minutes", "0")]
    [InlineData("--minutes must be", "token", "--user", "42", "--minutes", "99999999")]
    [InlineData("--minutes must be", "token", "--user", "42", "--minutes", "x")]
    [InlineData("'--usr' is not known", "token", "--usr", "42")]
    [InlineData("--user is there twice", "token", "--user", "42", "--user", "43")]
    [InlineData("there is no command 'tokne'", "tokne")]
    public async Task Wrong_use_is_explained_with_code_2(string part, params string[] args)
    {
        (await RunAsync(args)).ShouldBe(2);
        _errors.ToString().ShouldContain(part);
        _errors.ToString().ShouldContain("Usage:");
        _output.ToString().ShouldBeEmpty();
    }

    [Fact]
    public async Task A_wrong_setting_is_code_1_and_a_sentence()
    {
        _settings["Tidings:Auth:Secret"] = "secret";
        (await RunAsync("token", "--user", "42")).ShouldBe(1);
        _errors.ToString().ShouldStartWith("tidings: Tidings:Auth:Secret is or contains a well-known default");
        _errors.ToString().Trim().Split('\n').ShouldHaveSingleItem();
    }

    [Theory]
    [InlineData("help")]
    [InlineData("--help")]
    [InlineData("-h")]
    public async Task Help_needs_no_configuration(string argument)
    {
        (await CommandLine.TryRunAsync([argument], () => throw new InvalidOperationException(), _output, _errors)).ShouldBe(0);
        _output.ToString().ShouldContain("token --user <id>");
    }

    private Task<int?> RunAsync(params string[] args) =>
        CommandLine.TryRunAsync(args, () => new ConfigurationBuilder().AddInMemoryCollection(_settings).Build(), _output, _errors);
}
