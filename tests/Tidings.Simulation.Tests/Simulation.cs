using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Simulation.Tests.Checks;
using Tidings.Simulation.Tests.World;

namespace Tidings.Simulation.Tests;

/// <summary>How a run ended.</summary>
/// <param name="Violation">What went wrong and how it came to it; null if nothing did.</param>
/// <param name="Fingerprint">The same for the same seed.</param>
/// <param name="Recovered">How often a reader was told that it has everything.</param>
/// <param name="NotRecovered">How often a reader was told that it has not.</param>
internal sealed record Outcome(string? Violation, ulong Fingerprint, int Recovered, int NotRecovered);

/// <summary>One run: traffic and trouble for a number of steps, then everything heals and comes to rest, and nobody may miss anything.</summary>
internal sealed class Simulation
{
    private const int StackBytes = 64 * 1024 * 1024;   // waiters go on at once, on the stack of whom they waited for
    private const int MostWaiting = 60;

    private static readonly string[][] Mixtures =
    [
        ["creator", "creator", "creator", "post", "room", "feed", "passing"],
        ["creator", "creator", "feed", "feed"],
    ];

    private static readonly string?[] SlowThings =
        [null, "runs shard", "runs shard 0", "arrives at node 1", "hands over", " reads ", " has read ", " answers for ", " has written to", " receives", "runs something"];

    private readonly SimulatedWorld _world;
    private readonly int _steps;
    private readonly string[] _kinds;
    private readonly List<(string Id, Task Acknowledged)> _published = [];
    private int _events;

    private Simulation(int seed, int steps)
    {
        _world = new SimulatedWorld(seed);
        _steps = steps;
        _kinds = _world.OneOf(Mixtures);
        _world.Steps.Slow = _world.OneOf(SlowThings);
    }

    /// <summary>Runs a seed on a thread of its own, which no synchronisation context disturbs.</summary>
    /// <param name="seed">The same gives the same run.</param>
    /// <param name="steps">How much happens before everything heals.</param>
    /// <param name="prepare">Called on that thread before it begins.</param>
    public static Outcome Run(int seed, int steps, Action? prepare = null)
    {
        Outcome? outcome = null;
        Exception? fault = null;
        var thread = new Thread(
            () =>
            {
                try
                {
                    prepare?.Invoke();
                    outcome = new Simulation(seed, steps).Run();
                }
                catch (Exception exception)
                {
                    fault = exception;
                }
            },
            StackBytes);
        thread.Start();
        thread.Join();
        return outcome ?? throw new InvalidOperationException($"The simulation of seed {seed} failed itself.", fault);
    }

    private Outcome Run()
    {
        while (_world.Violation is null && _world.Steps.Done < _steps) Step();
        if (_world.Violation is null) Heal();
        if (_world.Violation is null) CheckAtRest();
        if (_world.Violation is null) CheckNothingIsLeft();
        var violation = _world.Violation is { } what ? $"{what}\n{string.Join('\n', _world.Steps.Trace.TakeLast(200))}" : null;
        foreach (var node in _world.Nodes) node.Crash();
        return new Outcome(violation, _world.Steps.Fingerprint, _world.Recovered, _world.NotRecovered);
    }

    private void Step()
    {
        if (_world.Steps.Waiting > 0 && (_world.Steps.Waiting > MostWaiting || _world.Happens(70)))
        {
            _world.Steps.RunOne();
            return;
        }

        switch (_world.Chance(100))
        {
            case < 35: Publish(); break;
            case < 80: _world.OneOf(_world.Clients).Act(); break;
            case < 90: Advance(); break;
            case < 92: Restart(); break;
            case < 94: Ban(); break;
            case < 96: Disconnect($"u{_world.Chance(4)}"); break;
            case < 98: _world.ToggleRight($"u{_world.Chance(4)}", "author:c0"); break;
            default: _ = _world.Disk.Log.TrimAsync(CancellationToken.None).AsTask(); break;
        }
    }

    private void Publish()
    {
        var kind = _world.OneOf(_kinds);
        var user = _world.Chance(4);
        var creator = $"c{_world.Chance(3)}";
        switch (kind)
        {
            case "creator" when creator == "c0": Publish(new ChannelName(kind, creator), needs: "author:c0"); break;
            case "creator": Publish(new ChannelName(kind, creator)); break;
            case "room": Publish(new ChannelName(kind, "r")); break;
            case "passing": Publish(new ChannelName(kind, "x")); break;
            case "post": PublishOnPost(new ChannelName(kind, _world.Happens(50) ? "p0a" : $"p{user}")); break;
            default: PublishInFeed(new ChannelName(kind, $"u{user}"), new ChannelName("creator", creator)); break;
        }
    }

    private void PublishOnPost(ChannelName post)
    {
        if (_world.Disk.Closed.Contains(post)) return;
        Publish(post, effect: _world.Chance(60) == 0 ? new ChannelEffect(ChannelEffectKind.Close) : null);
    }

    private void PublishInFeed(ChannelName feed, ChannelName creator) => Publish(feed, effect: _world.Chance(5) switch
    {
        0 or 1 => new ChannelEffect(ChannelEffectKind.Attach, creator),
        2 => new ChannelEffect(ChannelEffectKind.Detach, creator),
        _ => null,
    });

    private void Publish(ChannelName channel, string? needs = null, ChannelEffect? effect = null)
    {
        if (_world.UpNodes is not { Count: > 0 } nodes) return;
        var id = $"e{++_events}";
        var draft = new PublicationDraft
        {
            Channel = channel,
            Type = effect is null && _world.Happens(3) ? Entry.Poison : "said",
            Id = id,
            Timestamp = _world.Clock.GetUtcNow(),
            Payload = new byte[20 + _world.Chance(100)],
            FullPayload = needs is null ? null : new byte[40],
            FullNeeds = needs,
            Effect = effect,
        };
        _world.Steps.Note($"{id} is published on {channel}{(effect is null ? "" : $" with {effect.Kind} {effect.Target}")}");
        var published = _world.OneOf(nodes).Engine.Publisher.PublishAsync(draft, CancellationToken.None).AsTask();
        if (SimulatedWorld.Catalog.RulesOf(channel).Durable) _published.Add((id, published));
    }

    private void Advance()
    {
        var by = TimeSpan.FromMilliseconds(_world.OneOf([10, 300, 1_000, 3_000, 12_000]));
        _world.Steps.Note($"{by.TotalMilliseconds} ms pass");
        _world.Clock.Advance(by);
    }

    /// <summary>One node crashes and comes back, with an empty memory.</summary>
    private void Restart()
    {
        var index = _world.Chance(_world.Nodes.Length);
        _world.Steps.Note($"node {index} crashes");
        _world.Nodes[index].Crash();
        foreach (var client in _world.Clients)
            if (client.Link?.Node == _world.Nodes[index]) client.Forget();
        _world.Nodes[index] = new Node(_world, index);
    }

    private void Ban()
    {
        var user = $"u{_world.Chance(4)}";
        if (_world.Happens(60))
        {
            _world.Steps.Note($"{user} is let in again");
            _world.Pardon(user);
            return;
        }

        _world.Steps.Note($"{user} is shut out");
        _world.Ban(user);
        Disconnect(user);
    }

    private void Disconnect(string user)
    {
        foreach (var node in _world.Nodes)
        {
            _world.Steps.Add(node, $"{user} is disconnected from {node}", () =>
            {
                foreach (var client in _world.Clients)
                    if (client.UserId == user && client.Link is { } link && link.Node == node) link.EndedAt = Math.Min(link.EndedAt, _world.Steps.Done);
                node.Engine.Disconnect(user, null, CloseReason.Disconnected);
            });
        }
    }

    private void Heal()
    {
        _world.Steps.Note("everything heals");
        _world.IsFaulty = false;
        Settle();
        _world.IsSteady = true;
        for (var second = 0; second < 75; second++) SettleFor(TimeSpan.FromSeconds(1));

        // What a bus has lost of a channel that is not in the log shows at its next event only.
        foreach (var node in _world.Nodes)
            _ = node.Engine.Publisher.PublishAsync(Last("room", $"last-room-{node.Index}"), CancellationToken.None).AsTask();
        foreach (var kind in (string[])["creator", "feed"])
            Publish(new ChannelName(kind, kind == "creator" ? "c0" : "u0"));
        for (var second = 0; second < 12; second++) SettleFor(TimeSpan.FromSeconds(1));

        PublicationDraft Last(string kind, string id) =>
            new() { Channel = new ChannelName(kind, "r"), Type = "said", Id = id, Timestamp = _world.Clock.GetUtcNow(), Payload = "{}"u8.ToArray() };
    }

    private void SettleFor(TimeSpan time)
    {
        _world.Clock.Advance(time);
        Settle();
    }

    private void Settle()
    {
        const int enough = 200_000;
        for (var step = 0; step < enough && _world.Violation is null; step++)
        {
            if (_world.Steps.Waiting > 0)
            {
                _world.Steps.RunOne();
                continue;
            }

            foreach (var node in _world.Nodes) node.StartAgainIfItFailed();
            if (!_world.Clients.Aggregate(false, static (any, client) => client.Settle() | any) && _world.Steps.Waiting == 0) return;
        }

        _world.Violated("I9", "the world does not come to rest");
    }

    private void CheckAtRest()
    {
        foreach (var (id, acknowledged) in _published)
            if (acknowledged.IsCompletedSuccessfully && _world.Histories.Find(id) is null) _world.Violated("I1", $"{id} was acknowledged and is not in the log");
        foreach (var client in _world.Clients) client.CheckWhole();
    }

    /// <summary>When all clients have left, nothing of them stays.</summary>
    private void CheckNothingIsLeft()
    {
        foreach (var client in _world.Clients) client.Cut(isNoticed: true);
        for (var second = 0; second < 60; second++)
        {
            _world.Clock.Advance(TimeSpan.FromSeconds(1));
            while (_world.Steps.Waiting > 0) _world.Steps.RunOne();
        }

        foreach (var node in _world.Nodes)
        {
            var engine = node.Engine;
            var feeds = engine.Shards.Sum(static shard => shard.Feeds.Count);
            if ((engine.ConnectionCount, engine.Outbound.Taken, engine.Channels.Count, feeds) != (0, 0, 0, 0))
                _world.Violated("I9", $"{node} keeps {engine.ConnectionCount} connections, {engine.Outbound.Taken} bytes, {engine.Channels.Count} channels, {feeds} feeds");
        }
    }
}
