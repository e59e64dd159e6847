using System.Security.Cryptography;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Cluster.Tests;

/// <summary>What carries publications between the nodes.</summary>
internal enum Bus
{
    /// <summary>Redis.</summary>
    Redis,

    /// <summary>PostgreSQL's own notifications.</summary>
    Notifications,
}

/// <summary>
/// Several real servers on one real PostgreSQL and one real Redis, each in a process of its own. Each node reaches the two through proxies of its own,
/// so that a test can cut any of the links.
/// </summary>
internal sealed class Cluster : IAsyncDisposable
{
    private readonly List<IAsyncDisposable> _owned = [];
    private readonly List<Node> _nodes = [];

    private Cluster(PostgresServer database, RedisServer? redis)
    {
        Database = database;
        Redis = redis;
        _owned.Add(database);
        if (redis is not null) _owned.Add(redis);
    }

    public PostgresServer Database { get; }

    /// <summary>Null: the nodes have PostgreSQL alone.</summary>
    public RedisServer? Redis { get; }

    public IReadOnlyList<Node> Nodes => _nodes;

    /// <summary>Starts everything and waits until all nodes are ready.</summary>
    /// <param name="nodes">How many.</param>
    /// <param name="bus">What carries.</param>
    /// <param name="settings">Of each node, beside those that a cluster needs.</param>
    public static async Task<Cluster> StartAsync(int nodes = 2, Bus bus = Bus.Redis, IReadOnlyDictionary<string, string>? settings = null)
    {
        var cluster = new Cluster(await PostgresServer.StartAsync(), bus == Bus.Redis ? await RedisServer.StartAsync() : null);
        try
        {
            var shared = new Dictionary<string, string>(settings ?? new Dictionary<string, string>())
            {
                ["Auth:Secret"] = RandomNumberGenerator.GetHexString(48),
                ["App:Key"] = "app-key",
                ["App:Secret"] = RandomNumberGenerator.GetHexString(48),
                ["EncryptionKeys"] = RandomNumberGenerator.GetHexString(48),
            };
            var database = await cluster.Database.CreateDatabaseAsync();
            for (var number = 0; number < nodes; number++) cluster.Add(number, database, shared);
            await Task.WhenAll(cluster.Nodes.Select(node => node.Server.StartAgainAsync())); // at once, as a deploy does: one of them migrates
            return cluster;
        }
        catch (Exception error)
        {
            var said = string.Join('\n', cluster.Nodes.Select(node => node.Server.Output.Text));
            await cluster.DisposeAsync();
            throw new InvalidOperationException($"The cluster did not start; its nodes said:\n{said}", error);
        }
    }

    /// <inheritdoc />
    public async ValueTask DisposeAsync()
    {
        for (var index = _owned.Count - 1; index >= 0; index--) await _owned[index].DisposeAsync();
    }

    private void Add(int number, string database, Dictionary<string, string> shared)
    {
        var toDatabase = new TcpProxy(Database.Port);
        _owned.Add(toDatabase);
        var settings = new Dictionary<string, string>(shared)
        {
            ["Database"] = database.Replace($"Port={Database.Port}", $"Port={toDatabase.Address.Port}", StringComparison.Ordinal),
        };

        TcpProxy? toBus = null;
        if (Redis is not null)
        {
            toBus = new TcpProxy(Redis.Port);
            _owned.Add(toBus);
            settings["Redis"] = $"127.0.0.1:{toBus.Address.Port}";
        }

        var server = ServerProcess.Create(new ServerSettings { Settings = settings });
        _owned.Add(server);
        _nodes.Add(new Node(number, server, toDatabase, toBus));
    }
}

/// <summary>One of the servers, and its links.</summary>
/// <param name="Number">From 0.</param>
/// <param name="Server">The process.</param>
/// <param name="ToDatabase">Its way to PostgreSQL.</param>
/// <param name="ToBus">Its way to Redis; null if there is none.</param>
internal sealed record Node(int Number, ServerProcess Server, TcpProxy ToDatabase, TcpProxy? ToBus);
