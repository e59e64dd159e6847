using System.Security.Cryptography;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;
using Xunit;

namespace Tidings.Server.Tests;

/// <summary>The whole server as a process, on the database of these tests; one for a class.</summary>
public sealed class ProductServer : IAsyncLifetime
{
    private int _users;

    public ServerProcess Process { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Process = await StartAsync([]);

    public ValueTask DisposeAsync() => Process.DisposeAsync();

    /// <summary>Starts one with settings of its own.</summary>
    public static async Task<ServerProcess> StartAsync(Dictionary<string, string> settings)
    {
        if (await TestDatabase.NewAsync() is { } database)
        {
            settings["Database"] = database;
            settings["Auth:Secret"] = RandomNumberGenerator.GetHexString(48);
            settings["App:Key"] = "key";
            settings["App:Secret"] = RandomNumberGenerator.GetHexString(48);
            settings["EncryptionKeys"] = RandomNumberGenerator.GetHexString(48);
        }

        return await ServerProcess.StartAsync(new ServerSettings { Settings = settings });
    }

    /// <summary>Signs somebody up whom no other test knows.</summary>
    public Task<Account> UserAsync(string name) => Account.RegisterAsync(Process, $"{name}{Interlocked.Increment(ref _users)}");
}
