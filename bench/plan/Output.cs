namespace Tidings.Plan;

/// <summary>Prints plans beside each other, what binds each, and what they were made from.</summary>
internal static class Output
{
    public static void Write(TextWriter output, IReadOnlyList<Plan> plans, Workload workload, Inputs inputs)
    {
        Row("connected users", plan => $"{plan.Users:N0}");
        Row("live connections", plan => $"{plan.Connections:N0}");
        Row("publications/s", plan => $"{plan.Publications:N0}");
        Row("deliveries/s", plan => $"{plan.Deliveries:N0}");
        Row("copies on the bus/s", plan => $"{plan.Copies:N0}");
        Row("database transactions/s", plan => $"{plan.Transactions:N0}");
        Row("sent to clients", plan => $"{plan.EgressGbit:N1} Gbit/s");
        Row("memory of all nodes", plan => $"{plan.MemoryGiB:N0} GiB");
        Row("nodes", plan => $"{plan.Nodes.Count:N0}");
        Row("Redis shards", plan => $"{plan.RedisShards.Count:N0}");
        Row("PostgreSQL primaries", plan => $"{plan.Databases.Count:N0}");

        foreach (var plan in plans)
        {
            output.WriteLine($"\nWhat decides it at {plan.Users:N0} users");
            Explain("nodes", plan.Nodes);
            Explain("Redis shards", plan.RedisShards);
            Explain("PostgreSQL primaries", plan.Databases);
            if (plan.Databases.Count > 1)
                output.WriteLine($"  Tidings writes to one primary. At this load that is not enough: the users must be split over {plan.Databases.Count:N0} installations, or write less.");
        }

        output.WriteLine($"\nA node: {workload.Node.Cores} cores, {workload.Node.MemoryGiB} GiB, {workload.Node.NetworkGbit} Gbit/s. PostgreSQL: {workload.Database.Cores} cores. All at most {workload.Utilisation:P0} full.");
        output.WriteLine("\nMade from");
        foreach (var input in inputs.All) output.WriteLine($"  {input.Name,-36}{input.Value,10:N1}  {input.Basis,-9} {input.Source}");

        void Row(string name, Func<Plan, string> cell) => output.WriteLine($"{name,-24}{string.Concat(plans.Select(plan => $"{cell(plan),20}"))}");

        void Explain(string name, Need need)
        {
            output.WriteLine($"  {name}: {need.Count:N0}, by {need.Binding.Name}");
            foreach (var bound in need.Bounds.OrderByDescending(bound => bound.Units)) output.WriteLine($"    {bound.Units,12:N2}  {bound.Name}");
        }
    }
}
