using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Configuration;
using Shouldly;
using Tidings.Server.Host;
using Xunit;

namespace Tidings.Server.Tests.Host;

public sealed class HostSetupTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("tidings-host-").FullName;
    private readonly StringWriter _errors = new();

    public void Dispose()
    {
        Directory.Delete(_folder, recursive: true);
        _errors.Dispose();
    }

    [Fact]
    public void A_server_that_cannot_start_says_why_in_a_line_per_problem()
    {
        Start(("Auth:Secret", "secret"), ("AllowedOrigins", "*"), ("Limits:PostChar", "1")).ShouldBeFalse();

        var lines = _errors.ToString().TrimEnd().Split(Environment.NewLine);
        lines.Length.ShouldBe(3);
        lines.ShouldAllBe(line => line.StartsWith("tidings: ", StringComparison.Ordinal) && (line.EndsWith('.') || line.EndsWith('?')));
        lines[0].ShouldStartWith("tidings: warning: Tidings:Limits:PostChar is not a setting");
        Directory.GetFileSystemEntries(_folder).ShouldBeEmpty();
    }

    [Fact]
    public void A_server_that_can_start_has_its_folder_and_its_secrets()
    {
        Start().ShouldBeTrue();
        _errors.ToString().ShouldBeEmpty();
        File.Exists(Path.Combine(_folder, "data", "secrets.json")).ShouldBeTrue();
    }

    private bool Start(params (string Key, string Value)[] settings)
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration.Sources.Clear();
        builder.Configuration.AddInMemoryCollection();
        foreach (var (key, value) in settings.Append(("DataDirectory", Path.Combine(_folder, "data")))) builder.Configuration[$"Tidings:{key}"] = value;
        return builder.TryAddHost(_errors, out _);
    }
}
