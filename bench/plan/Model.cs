namespace Tidings.Plan;

/// <summary>One thing that there must be enough of.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Units">How many nodes, shards or databases it takes, as a fraction.</param>
internal sealed record Bound(string Name, double Units);

/// <summary>How many units a part needs, and what decides it.</summary>
internal sealed record Need(IReadOnlyList<Bound> Bounds)
{
    /// <summary>The bound that asks for the most.</summary>
    public Bound Binding => Bounds.MaxBy(bound => bound.Units)!;

    /// <summary>Whole units.</summary>
    public double Count => Math.Max(1, Math.Ceiling(Binding.Units));
}

/// <summary>What a number of connected users costs.</summary>
/// <param name="Users">Connected users.</param>
/// <param name="Connections">Their live connections.</param>
/// <param name="Publications">Publications a second.</param>
/// <param name="Deliveries">Events that reach a connection, a second.</param>
/// <param name="Copies">Publications that reach a node from Redis, a second.</param>
/// <param name="Transactions">Database transactions a second.</param>
/// <param name="EgressGbit">What clients are sent.</param>
/// <param name="MemoryGiB">Memory of all nodes.</param>
/// <param name="Nodes">Nodes.</param>
/// <param name="RedisShards">Installations of Redis.</param>
/// <param name="Databases">PostgreSQL primaries; more than one is more than Tidings can use.</param>
internal sealed record Plan(
    double Users, double Connections, double Publications, double Deliveries, double Copies, double Transactions, double EgressGbit, double MemoryGiB,
    Need Nodes, Need RedisShards, Need Databases);

/// <summary>The arithmetic. It is linear in the users but for what grows with the number of nodes: copies on the bus, and gap checks.</summary>
internal static class Model
{
    private const double BitsPerByte = 8;

    /// <summary>Makes the plan.</summary>
    public static Plan Make(double users, Workload workload, Inputs inputs)
    {
        // How many nodes there are decides how many copies the bus carries, which decides how many nodes there are. The count only rises, and no
        // publication is copied more often than it has readers, so it settles.
        for (var nodes = 1.0; ;)
        {
            var plan = Make(users, workload, inputs, nodes);
            if (plan.Nodes.Count <= nodes) return plan;
            nodes = plan.Nodes.Count;
        }
    }

    /// <summary>On how many of the nodes at least one of a publication's readers is, if they are spread evenly.</summary>
    internal static double CopiesOf(double readers, double nodes) => nodes * (1 - Math.Pow(1 - (1 / nodes), readers));

    private static Plan Make(double users, Workload workload, Inputs inputs, double nodes)
    {
        var connections = users * workload.ConnectionsPerUser;
        double publications = 0, deliveries = 0, copies = 0, transactions = 0, rows = 0, egress = 0, busBytes = 0;
        foreach (var stream in workload.Streams)
        {
            var rate = users * stream.PerUserHour / 3_600;
            publications += rate;
            transactions += rate * stream.Transactions;
            rows += rate * stream.LogRows;
            foreach (var readers in stream.Readers)
            {
                var here = rate * readers.Share;
                var connected = Math.Min(readers.Online, users) * workload.ConnectionsPerUser;
                var copied = CopiesOf(connected, nodes);
                deliveries += here * connected;
                egress += here * connected * (stream.EventBytes + inputs["wireBytesPerEventOverhead"]);
                copies += here * copied;
                busBytes += here * (1 + copied) * stream.EventBytes;
            }
        }

        var full = workload.Utilisation;
        var memory = (connections * (inputs["memoryPerConnectionKiB"] + inputs["kernelMemoryPerConnectionKiB"]) / (1 << 20))
            + (users * workload.FollowedCreatorsPerUser * inputs["bytesPerFollowedCreator"] / (1 << 30));
        Bound[] cores =
        [
            new("deliveries", deliveries / inputs["deliveriesPerCpuSecond"]),
            new("idle connections", connections * inputs["idleCpuPercentPer15000"] / 100 / 15_000),
            new("connecting", users * workload.ConnectsPerUserHour / 3_600 / inputs["connectionsPerCpuSecond"]),
            new("writing", transactions / inputs["postsPerCpuSecond"]),
            new("the bus", (publications + copies) * inputs["busMessageMicroseconds"] / 1e6),
        ];
        var storm = connections / workload.BackAfterOutageSeconds;

        var nodeNeed = new Need(
        [
            Together("CPU", cores, workload.Node.Cores * full),
            new("memory", memory / ((workload.Node.MemoryGiB * full) - (inputs["memoryOfProcessMiB"] / 1_024))),
            new("network", egress * BitsPerByte / 1e9 / (workload.Node.NetworkGbit * full)),
            new("file handles", connections / workload.Node.Connections),
            new("all back after an outage, by Tidings:Limits:HandshakesPerSecond", storm / workload.Node.HandshakesPerSecond),
            new("all back after an outage, by CPU", storm / (inputs["connectionsPerCpuSecond"] * workload.Node.Cores)),
        ]);

        Bound[] redisCores =
        [
            new("publications", publications * inputs["redisMicrosecondsPerPublication"] / 1e6),
            new("copies for the nodes", copies * inputs["redisMicrosecondsPerCopy"] / 1e6),
        ];
        var redisNeed = new Need(
        [
            Together("CPU (one core each)", redisCores, full),
            new("network", busBytes * BitsPerByte / 1e9 / (workload.Redis.NetworkGbit * full)),
        ]);

        Bound[] databaseCores =
        [
            new("transactions", transactions / inputs["databaseTransactionsPerCoreSecond"]),
            new("gap checks of the nodes", nodes * rows * inputs["gapCheckMicrosecondsPerRow"] / 1e6),
        ];
        var databaseNeed = new Need([Together("CPU", databaseCores, workload.Database.Cores * full)]);

        return new Plan(
            users, connections, publications, deliveries, copies, transactions, egress * BitsPerByte / 1e9,
            memory + (nodeNeed.Count * inputs["memoryOfProcessMiB"] / 1_024), nodeNeed, redisNeed, databaseNeed);
    }

    /// <summary>What shares the same cores adds up; the name says what takes the most of them.</summary>
    private static Bound Together(string name, Bound[] parts, double cores) =>
        new($"{name}, mostly {parts.MaxBy(part => part.Units)!.Name}", parts.Sum(part => part.Units) / cores);
}
