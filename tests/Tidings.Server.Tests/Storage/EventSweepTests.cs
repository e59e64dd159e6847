using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Shouldly;
using Tidings.Realtime.Channels;
using Tidings.Realtime.History;
using Tidings.Server.Storage;
using Tidings.Server.Storage.Sqlite;
using Xunit;

namespace Tidings.Server.Tests.Storage;

[Trait("Database", "SQLite")]
public sealed class EventSweepTests : IDisposable
{
    private readonly TempStore _temp = new();
    private readonly List<long> _received = [];

    public void Dispose() => _temp.Dispose();

    [Fact]
    public async Task What_was_committed_and_not_handed_over_before_a_crash_is_handed_over_at_start()
    {
        for (var count = 0; count < 3; count++) await _temp.AppendAsync("post:1");      // nobody listens: as if the process had died

        await RestartAndSweepAsync();

        Received().ShouldBe([1, 2, 3]);
        _temp.Ask<long>("SELECT value FROM meta WHERE key = 'carried_through'").ShouldBe(3);
    }

    [Fact]
    public async Task What_was_marked_is_not_handed_over_again()
    {
        await _temp.AppendAsync("post:1");
        await RestartAndSweepAsync();
        await _temp.AppendAsync("post:1");
        await Until(() => _temp.Store.Carrier.CarriedThrough == 2);
        Forget();

        await RestartAndSweepAsync();

        Received().ShouldBe([2]);
    }

    [Fact]
    public async Task The_mark_is_written_every_five_seconds_and_only_when_it_has_moved()
    {
        Listen();
        using var sweep = new EventSweep(_temp.Store, _temp.Clock, NullLogger<EventSweep>.Instance);
        await sweep.StartAsync(CancellationToken.None);
        var units = _temp.Store.CommittedUnits;
        await _temp.AppendAsync("post:1");

        await Until(() =>
        {
            _temp.Clock.Advance(TimeSpan.FromSeconds(5));
            return _temp.Ask<long>("SELECT value FROM meta WHERE key = 'carried_through'") == 1;
        });
        await Until(() => _temp.Store.CommittedUnits == units + 2); // the writer counts a unit when others can see it already
        for (var tick = 0; tick < 5; tick++)
        {
            _temp.Clock.Advance(TimeSpan.FromSeconds(5));
            await _temp.Store.Carrier.SweepAsync();
        }

        _temp.Store.CommittedUnits.ShouldBe(units + 2, "the event, and one mark");
        await sweep.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task The_setup_opens_sweeps_and_trims()
    {
        _temp.Store.Dispose();
        using var folder = new TempStore();
        folder.Store.Dispose();
        Directory.Delete(folder.Folder, recursive: true);                               // AddStorage makes it
        using (var host = new HostBuilder().ConfigureServices(services => services
            .AddSingleton<TimeProvider>(_temp.Clock).AddSingleton(TempStore.Catalog).AddStorage(folder.Folder)).Build())
        {
            await host.StartAsync();
            var log = host.Services.GetRequiredService<IDurableEventLog>();
            await log.AppendAsync([.. Enumerable.Range(0, 9).Select(index => _temp.Draft("post:1", $"{index}"))], CancellationToken.None);
            host.Services.GetRequiredService<Store>().ShouldBeSameAs(host.Services.GetRequiredService<SqliteStore>());

            await Until(() =>
            {
                _temp.Clock.Advance(TimeSpan.FromSeconds(61));
                return folder.Ask<long>("SELECT count(*) FROM events") <= 5;      // fewer when the clock has gone past their age
            });
            await host.StopAsync();
        }

        Directory.CreateDirectory(folder.Folder);
    }

    [Fact]
    public async Task The_daily_check_finds_damage()
    {
        await _temp.AppendAsync("post:1");
        using var maintenance = new LogMaintenance(_temp.Store, _temp.Log, _temp.Clock, NullLogger<LogMaintenance>.Instance);
        await maintenance.StartAsync(CancellationToken.None);
        _temp.Ask<string>("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = (SELECT rootpage FROM sqlite_schema WHERE name = 'things') WHERE name = 'events_by_channel' RETURNING name");

        await Until(() =>
        {
            _temp.Clock.Advance(TimeSpan.FromHours(24));
            return maintenance.Damage is not null;
        });
        await maintenance.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task A_host_does_not_start_on_a_damaged_database()
    {
        await _temp.AppendAsync("post:1");
        _temp.Store.Dispose();
        await File.WriteAllTextAsync(_temp.File, "not a database at all");
        using var host = new HostBuilder().ConfigureServices(services => services
            .AddSingleton<TimeProvider>(_temp.Clock).AddSingleton(new ChannelCatalog([])).AddStorage(_temp.Folder)).Build();

        (await Should.ThrowAsync<StorageStartException>(host.StartAsync())).Message.ShouldContain("damaged");
    }

    private static async Task Until(Func<bool> condition)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (!condition())
        {
            limit.Token.ThrowIfCancellationRequested();
            await Task.Delay(5); // what is waited for needs the processor too
        }
    }

    private async Task RestartAndSweepAsync()
    {
        _temp.Reopen();
        Listen();
        using var sweep = new EventSweep(_temp.Store, _temp.Clock, NullLogger<EventSweep>.Instance);
        await sweep.StartAsync(CancellationToken.None);
        await Until(() => _temp.Store.Carrier.CarriedThrough == _temp.Store.CommittedSequence);
        await sweep.StopAsync(CancellationToken.None);
    }

    private void Listen() => _temp.Store.Carrier.DeliverTo(publications =>
    {
        lock (_received) _received.AddRange(publications.Select(publication => publication.Sequence));
    });

    private long[] Received()
    {
        lock (_received) return [.. _received];
    }

    private void Forget()
    {
        lock (_received) _received.Clear();
    }
}
