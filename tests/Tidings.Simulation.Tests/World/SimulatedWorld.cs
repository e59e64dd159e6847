using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Simulation.Tests.Checks;

namespace Tidings.Simulation.Tests.World;

/// <summary>Several engines, their disk, bus, clock and clients, in one thread, under one seed.</summary>
internal sealed class SimulatedWorld
{
    private const int NodeCount = 3;
    private const int Users = 4;
    private const int ClientsPerUser = 2;

    /// <summary>How long after a token's end and its grace the last byte may go out: a tick, and the time to say goodbye.</summary>
    public static readonly TimeSpan ExpiryDelay = TimeSpan.FromSeconds(4);

    public static readonly TimeSpan TokenLifetime = TimeSpan.FromSeconds(60);

    private readonly Random _chance;
    private readonly HashSet<string> _rights = [];
    private readonly Dictionary<string, int> _banned = [];

    public SimulatedWorld(int seed)
    {
        _chance = new Random(seed);
        Steps = new Steps(_chance);
        Format = new SimulatedFormat(this);
        Disk = new Disk(this);
        Nodes = new Node[NodeCount];
        for (var index = 0; index < NodeCount; index++) Nodes[index] = new Node(this, index);
        Clients = [.. Enumerable.Range(0, Users * ClientsPerUser).Select(number => new SimulatedClient(this, number, $"u{number % Users}", ChannelsOf(number % Users)))];
    }

    public static ChannelCatalog Catalog { get; } = new(
        new Dictionary<string, ChannelRules>
        {
            ["feed"] = new() { IsFeed = true, Durable = true, History = 12, HistoryAge = TimeSpan.FromMinutes(5) },
            ["creator"] = new() { Durable = true, History = 12, HistoryAge = TimeSpan.FromMinutes(5) },
            ["post"] = new() { Durable = true, History = 12, HistoryAge = TimeSpan.FromMinutes(5) },
            ["room"] = new() { History = 8, ClientPublish = true },
            ["passing"] = new() { History = 0, ClientPublish = true },
        });

    /// <summary>Small, so that every limit is reached.</summary>
    public static RealtimeOptions Options { get; } = new()
    {
        Shards = 2,
        RingEvents = 4,
        RecentEvents = 8,
        HeldEvents = 6,
        OutboundBytes = 1_500,
        ChannelLinger = TimeSpan.FromSeconds(15),
    };

    public Steps Steps { get; }

    public ManualClock Clock { get; } = new();

    public Histories Histories { get; } = new();

    public SimulatedFormat Format { get; }

    public Disk Disk { get; }

    public Node[] Nodes { get; }

    public IReadOnlyList<SimulatedClient> Clients { get; }

    /// <summary>Whether things are lost and fail.</summary>
    public bool IsFaulty { get; set; } = true;

    /// <summary>Whether everything that is due has been done each time a second has passed.</summary>
    public bool IsSteady { get; set; }

    /// <summary>The first thing that went wrong.</summary>
    public string? Violation { get; private set; }

    public int Recovered { get; private set; }

    public int NotRecovered { get; private set; }

    public List<Node> UpNodes => [.. Nodes.Where(static node => node.IsUp)];

    public void Violated(string rule, string what) => Violation ??= $"{rule}: {what}";

    public int Chance(int below) => _chance.Next(below);

    public bool Happens(int percent) => _chance.Next(100) < percent;

    public bool Fails() => IsFaulty && Happens(2);

    public T OneOf<T>(IReadOnlyList<T> items) => items[_chance.Next(items.Count)];

    public void CountAnswer(bool? isRecovered)
    {
        if (isRecovered == true) Recovered++;
        if (isRecovered == false) NotRecovered++;
    }

    public bool Holds(string userId, string right) => _rights.Contains(userId + right);

    /// <summary>Gives a right to a user, or takes it.</summary>
    public void ToggleRight(string userId, string right)
    {
        if (!_rights.Remove(userId + right)) _rights.Add(userId + right);
    }

    public bool MaySubscribe(string userId, ChannelName channel) => !_banned.ContainsKey(userId) && !Disk.Closed.Contains(channel);

    /// <summary>Whether a user has not been let into a channel since before a step.</summary>
    public bool WasRefusedSince(string userId, ChannelName channel, int step) =>
        (_banned.TryGetValue(userId, out var since) && since < step)
        || (Disk.Closed.Contains(channel) && Histories.Of(channel, Disk.EpochOf(channel))[^1].CommittedAt < step);

    public void Ban(string userId) => _banned.TryAdd(userId, Steps.Done);

    public void Pardon(string userId) => _banned.Remove(userId);

    /// <summary>Where the log has a channel at this moment; null if it is not in the log.</summary>
    public Position? TopOf(ChannelName channel)
    {
        var rules = Catalog.RulesOf(channel);
        if (rules.IsFeed) return new Position(Disk.Log.SequenceEpoch, Histories.All.Count);
        return rules.Durable ? new Position(Disk.EpochOf(channel), Histories.Of(channel, Disk.EpochOf(channel)).Count) : null;
    }

    private static IEnumerable<ChannelName> ChannelsOf(int user) =>
    [
        new("feed", $"u{user}"), new("creator", $"c{user % 3}"), new("post", $"p{user}"), new("post", "p0a"), new("room", "r"), new("passing", "x"),
    ];
}
