using Microsoft.AspNetCore.DataProtection;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Tidings.Server.Features.ConnectedAccounts;
using Tidings.Server.Publishing;
using Tidings.Server.Publishing.Connectors;
using Tidings.Server.Publishing.Connectors.Bluesky;
using Tidings.Server.Publishing.Outgoing;
using Tidings.Server.Storage;
using Tidings.Server.Tests.Posts;
using Tidings.Testing.Platforms;

namespace Tidings.Server.Tests.ConnectedAccounts;

/// <summary>What keeps accounts, on a database of its own, beside a double; the clock can be moved on. Each renewal is as if on a node of its own.</summary>
internal sealed class AccountNodes : IAsyncDisposable
{
    public const string User = "user-1";

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("tidings-accounts-");
    private IHost _host = null!;

    public BlueskyDouble Bluesky { get; } = new();

    public MovedClock Clock { get; } = new();

    public CapturedLogs Logs { get; } = new();

    public Store Store => Get<Store>();

    public AccountVault Vault => Get<AccountVault>();

    public static async Task<AccountNodes> StartAsync(IPublishingConnector? other = null)
    {
        var nodes = new AccountNodes();
        await nodes.Bluesky.StartAsync();
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(new HostApplicationBuilderSettings());
        builder.Logging.AddProvider(nodes.Logs);
        builder.Services.AddSingleton<TimeProvider>(nodes.Clock).AddSingleton(PostsApp.Catalog).AddStorage(nodes._folder.FullName, await TestDatabase.NewAsync());
        builder.Services.AddDataProtection().PersistKeysToFileSystem(nodes._folder.CreateSubdirectory("keys"));
        builder.Services.AddSingleton(new OutgoingHttp(allowsPrivate: true, nodes.Clock)).AddSingleton<IPublishingConnector, BlueskyConnector>().AddSingleton<ConnectorCatalog>();
        if (other is not null) builder.Services.AddSingleton(other);
        builder.Services.AddConnectedAccounts(renews: false);
        nodes._host = builder.Build(); // it is not started: what it does by itself is none of these tests' business
        await nodes.Store.WriteAsync(
            async write => await write.ExecuteAsync("INSERT INTO users (id, nickname, nickname_key, full_name, is_creator, posts_count, followers_count, created_at) VALUES (@User, 'ann', 'ann', '', 0, 0, 0, 0)", new { User }),
            CancellationToken.None);
        return nodes;
    }

    public T Get<T>()
        where T : notnull => _host.Services.GetRequiredService<T>();

    /// <summary>The renewal of another node.</summary>
    public AccountRenewal Renewal() => ActivatorUtilities.CreateInstance<AccountRenewal>(_host.Services);

    /// <summary>Connects the double's account and returns its id.</summary>
    public async Task<string> ConnectAsync()
    {
        var request = new ConnectRequest(BlueskyDouble.Handle, Bluesky.Address, System.Text.Json.JsonSerializer.SerializeToElement(new { appPassword = Bluesky.Password }));
        var answer = await Get<ConnectorCatalog>().Find("bluesky")!.ConnectAsync(request, CancellationToken.None);
        return await KeepAsync("bluesky", answer.Account!);
    }

    public async Task<string> KeepAsync(string platform, NewAccount account) =>
        (await Get<ConnectAccount.Connecting>().KeepAsync(User, platform, account, CancellationToken.None))!.Id;

    public async Task<AccountRow> RowAsync(string id) =>
        (await Store.QueryAsync<AccountRow>($"SELECT {AccountRow.Columns} FROM connected_accounts WHERE id = @Id", new { Id = id }, CancellationToken.None)).Single();

    public Task<IReadOnlyList<string>> NotificationsAsync() =>
        Store.QueryAsync<string>("SELECT type FROM notifications WHERE user_id = @User", new { User }, CancellationToken.None);

    public int Calls(string method) => Bluesky.Requests.Count(request => request.Contains(method, StringComparison.Ordinal));

    public async ValueTask DisposeAsync()
    {
        await ((IAsyncDisposable)_host).DisposeAsync();
        await Bluesky.DisposeAsync();
        Logs.Dispose();
        _folder.Delete(recursive: true);
    }

    /// <summary>The real clock, moved on.</summary>
    internal sealed class MovedClock : TimeProvider
    {
        private long _ticks;

        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddTicks(Interlocked.Read(ref _ticks));

        public void MoveOn(TimeSpan by) => Interlocked.Add(ref _ticks, by.Ticks);
    }
}
