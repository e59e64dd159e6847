using Tidings.Plan;
using Tidings.Testing.Servers;

namespace Tidings.Deploy.Tests;

/// <summary>The arithmetic of <c>bench/plan</c>.</summary>
public sealed class PlanTests
{
    private static readonly string Folder = Path.Combine(Repository.Root, "bench", "plan");
    private static readonly Workload Shipped = Workload.Read(Path.Combine(Folder, "workload.json"));
    private static readonly Inputs Costs = Inputs.Read(Path.Combine(Folder, "inputs.json"), results: null);

    [Theory]
    [InlineData(1_000_000)]
    [InlineData(10_000_000)]
    [InlineData(100_000_000)]
    public void The_bound_that_is_named_is_the_largest_and_its_number_is_enough(double users)
    {
        var plan = Model.Make(users, Shipped, Costs);
        foreach (var need in (Need[])[plan.Nodes, plan.RedisShards, plan.Databases])
        {
            need.Binding.Units.ShouldBe(need.Bounds.Max(bound => bound.Units));
            need.Count.ShouldBeGreaterThanOrEqualTo(need.Binding.Units);
            (need.Count - need.Binding.Units).ShouldBeLessThanOrEqualTo(1);
        }
    }

    [Fact]
    public void Twice_the_users_are_twice_of_everything_where_nodes_do_not_multiply_each_other()
    {
        var once = Model.Make(20_000_000, Shipped, Costs);
        var twice = Model.Make(40_000_000, Shipped, Costs);
        Is(twice.Connections, once.Connections);
        Is(twice.Publications, once.Publications);
        Is(twice.Deliveries, once.Deliveries);
        Is(twice.Transactions, once.Transactions);
        Is(twice.EgressGbit, once.EgressGbit);
        foreach (var name in (string[])["memory", "network", "file handles", "all back after an outage, by CPU"])
            Is(twice.Nodes.Bounds.Single(bound => bound.Name == name).Units, once.Nodes.Bounds.Single(bound => bound.Name == name).Units);
        twice.Nodes.Count.ShouldBe(2 * once.Nodes.Count);

        // More nodes: more copies of each publication, and more gap checks of more rows.
        twice.Copies.ShouldBeGreaterThan(2 * once.Copies);
        twice.Databases.Binding.Units.ShouldBeGreaterThan(2 * once.Databases.Binding.Units);

        static void Is(double twice, double once) => twice.ShouldBe(2 * once, once * 1e-9);
    }

    [Fact]
    public void Known_numbers_come_out()
    {
        var workload = Shipped with
        {
            ConnectionsPerUser = 1,
            ConnectsPerUserHour = 0,
            FollowedCreatorsPerUser = 0,
            Utilisation = 1,
            BackAfterOutageSeconds = 1_000,
            Streams = [new("posts", PerUserHour: 3.6, EventBytes: 904, Transactions: 1, LogRows: 1, [new(Share: 1, Online: 90)])],
            Node = new(Cores: 2, MemoryGiB: 1_000, NetworkGbit: 1_000, HandshakesPerSecond: 1_000, Connections: 1_000_000),
        };
        var inputs = Costs.With("deliveriesPerCpuSecond", 90_000).With("wireBytesPerEventOverhead", 96).With("idleCpuPercentPer15000", 1e-9)
            .With("postsPerCpuSecond", 1e12).With("busMessageMicroseconds", 1e-9);

        var plan = Model.Make(1_000_000, workload, inputs);

        plan.Publications.ShouldBe(1_000, 0.001);
        plan.Deliveries.ShouldBe(90_000, 0.1);
        plan.EgressGbit.ShouldBe(0.72, 0.0001);
        plan.Nodes.Count.ShouldBe(1);
        plan.Nodes.Bounds.Single(bound => bound.Name == "CPU, mostly deliveries").Units.ShouldBe(0.5, 0.0001);
        plan.Nodes.Bounds.Single(bound => bound.Name == "file handles").Units.ShouldBe(1);
        plan.Copies.ShouldBe(1_000, 0.001, "one node takes one copy, however many readers it has");
    }

    [Theory]
    [InlineData(1, 10, 1)]
    [InlineData(2, 10, 1.9)]
    [InlineData(1_000_000, 10, 10)]
    [InlineData(5, 1, 1)]
    public void A_publication_is_copied_to_the_nodes_that_have_readers(double readers, double nodes, double copies) =>
        Model.CopiesOf(readers, nodes).ShouldBe(copies, 0.0001);

    [Theory]
    [InlineData("memoryPerConnectionKiB", "memory")]
    [InlineData("idleCpuPercentPer15000", "CPU, mostly idle connections")]
    [InlineData("busMessageMicroseconds", "CPU, mostly the bus")]
    [InlineData("wireBytesPerEventOverhead", "network")]
    public void What_becomes_a_hundred_times_as_dear_binds(string input, string bound)
    {
        var factor = input == "wireBytesPerEventOverhead" ? 10_000 : 100;
        Model.Make(1_000_000, Shipped, Costs.With(input, Costs[input] * factor)).Nodes.Binding.Name.ShouldBe(bound);
    }

    [Fact]
    public void However_dear_the_bus_is_the_number_of_nodes_settles_on_one_that_carries_it()
    {
        var plan = Model.Make(100_000_000, Shipped, Costs.With("busMessageMicroseconds", 100_000));
        plan.Nodes.Binding.Name.ShouldBe("CPU, mostly the bus");
        plan.Nodes.Binding.Units.ShouldBeLessThanOrEqualTo(plan.Nodes.Count);
        plan.Copies.ShouldBeLessThanOrEqualTo(plan.Deliveries);
    }

    [Fact]
    public void Measurements_of_this_machine_come_before_the_shipped_ones()
    {
        var results = Directory.CreateTempSubdirectory("tidings-results-");
        try
        {
            File.WriteAllLines(Path.Combine(results.FullName, "peers.jsonl"),
            [
                """{"figure":"b","server":"tidings","value":70000}""", """{"figure":"b","server":"tidings","value":80000}""", """{"figure":"b","server":"tidings","value":120000}""",
                """{"figure":"b","server":"ws","value":1}""", """{"figure":"a","server":"tidings","value":2}""", """{"figure":"b","goal":"tidings >= 1","value":3}""",
            ]);
            File.WriteAllText(Path.Combine(results.FullName, "connections.jsonl"), """{"verb":"connections","figures":{"the same per CPU-second":5000}}""");

            var inputs = Inputs.Read(Path.Combine(Folder, "inputs.json"), results.FullName);

            inputs["deliveriesPerCpuSecond"].ShouldBe(80_000);
            inputs["connectionsPerCpuSecond"].ShouldBe(5_000);
            inputs["memoryPerConnectionKiB"].ShouldBe(Costs["memoryPerConnectionKiB"]);
        }
        finally
        {
            results.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_page_on_sizing_has_the_table_that_is_printed()
    {
        double[] users = [1_000_000, 10_000_000, 100_000_000];
        using var output = new StringWriter(System.Globalization.CultureInfo.InvariantCulture);
        Output.Write(output, [.. users.Select(count => Model.Make(count, Shipped, Costs))], Shipped, Costs);
        var page = File.ReadAllText(Path.Combine(Repository.Root, "docs", "sizing.md"));
        var rows = output.ToString().Split('\n').TakeWhile(line => line.Length > 0).Skip(1).ToList();
        rows.Count.ShouldBe(10);
        foreach (var row in rows)
            page.ShouldContain($"| {row[..24].Trim()} | {string.Join(" | ", users.Select((_, i) => row.Substring(24 + (20 * i), 20).Trim()))} |");
    }

    [Fact]
    public void Every_input_says_where_it_is_from()
    {
        foreach (var input in Costs.All) input.Source.Length.ShouldBeGreaterThan(10, input.Name);
        Costs.All.Where(input => input.Basis == "measured").ShouldAllBe(input => input.Source.StartsWith("bench/", StringComparison.Ordinal));
    }
}
