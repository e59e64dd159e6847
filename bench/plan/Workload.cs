using System.Text.Json;

namespace Tidings.Plan;

/// <summary>What the users do, and on what it runs (<c>workload.json</c>).</summary>
/// <param name="ConnectionsPerUser">Live connections of one connected user: tabs and devices.</param>
/// <param name="ConnectsPerUserHour">How often each of them connects in an hour.</param>
/// <param name="FollowedCreatorsPerUser">How many creators a feed is put together from.</param>
/// <param name="Streams">The kinds of publications.</param>
/// <param name="Node">A machine for one node.</param>
/// <param name="Redis">A machine for one Redis, of which it uses one core.</param>
/// <param name="Database">The biggest machine for a PostgreSQL primary.</param>
/// <param name="Utilisation">How full anything may be at this load; what is left is for peaks and for a node that is away.</param>
/// <param name="BackAfterOutageSeconds">How soon all must be connected again if all were cut at once.</param>
internal sealed record Workload(
    double ConnectionsPerUser,
    double ConnectsPerUserHour,
    double FollowedCreatorsPerUser,
    IReadOnlyList<PublicationStream> Streams,
    NodeMachine Node,
    RedisMachine Redis,
    DatabaseMachine Database,
    double Utilisation,
    double BackAfterOutageSeconds)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { RespectRequiredConstructorParameters = true };

    /// <summary>Reads the file.</summary>
    public static Workload Read(string file)
    {
        var workload = JsonSerializer.Deserialize<Workload>(File.ReadAllText(file), Json) ?? throw new InvalidDataException($"{file} is empty.");
        foreach (var stream in workload.Streams)
            if (Math.Abs(stream.Readers.Sum(readers => readers.Share) - 1) > 0.0001) throw new InvalidDataException($"The shares of the readers of {stream.Name} must add up to 1.");
        return workload;
    }
}

/// <summary>One kind of publication.</summary>
/// <param name="Name">What it is called in the output.</param>
/// <param name="PerUserHour">How many each connected user causes in an hour.</param>
/// <param name="EventBytes">An event's bytes as a client gets it, without what the network adds.</param>
/// <param name="Transactions">Database transactions each costs.</param>
/// <param name="LogRows">Rows each appends to the event log.</param>
/// <param name="Readers">How many read one.</param>
internal sealed record PublicationStream(string Name, double PerUserHour, double EventBytes, double Transactions, double LogRows, IReadOnlyList<ReaderClass> Readers);

/// <summary>A class of publications by their readers.</summary>
/// <param name="Share">Its share of the publications.</param>
/// <param name="Online">How many users who are connected read one of them; never more than there are.</param>
internal sealed record ReaderClass(double Share, double Online);

/// <summary>A machine for one node.</summary>
/// <param name="Cores">Cores.</param>
/// <param name="MemoryGiB">Memory.</param>
/// <param name="NetworkGbit">Network, each way.</param>
/// <param name="HandshakesPerSecond"><c>Tidings:Limits:HandshakesPerSecond</c>.</param>
/// <param name="Connections">The most live connections: four fifths of the file handles.</param>
internal sealed record NodeMachine(double Cores, double MemoryGiB, double NetworkGbit, double HandshakesPerSecond, double Connections);

/// <summary>A machine for one Redis.</summary>
internal sealed record RedisMachine(double NetworkGbit);

/// <summary>A machine for PostgreSQL.</summary>
internal sealed record DatabaseMachine(double Cores);
