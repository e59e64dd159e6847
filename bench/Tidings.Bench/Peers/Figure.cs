using System.Globalization;

namespace Tidings.Bench.Peers;

/// <summary>One table of the comparison.</summary>
/// <param name="Key">As the results name it; its first letter is what <c>--figures</c> names.</param>
/// <param name="Title">What was done.</param>
/// <param name="Unit">Of the value by which the servers are compared.</param>
/// <param name="Goals">What Tidings should reach.</param>
internal sealed record Figure(string Key, string Title, string Unit, params IReadOnlyList<Goal> Goals)
{
    private const string PerCpuSecond = "deliveries per second of the server's CPU";

    internal string Better => Goals[0].IsCeiling ? "less is better" : "more is better";

    internal static Figure Wide(int subscribers, int bytes) => new(
        "a",
        Broadcast(subscribers, bytes, 8),
        PerCpuSecond,
        new Goal("tidings", "uws", 1.3), new Goal("tidings", "socketio", 5), new Goal("tidings", "signalr", 5), new Goal("tidings-feeds", "uws", 0.8),
        new Goal("tidings-socketio", "socketio", 5), new Goal("tidings-pusher", "soketi", 5));

    internal static Figure Narrow(int subscribers, int bytes) => new("b", Broadcast(subscribers, bytes, 1), PerCpuSecond, NarrowGoals());

    internal static Figure Crowded(int subscribers, int bytes) => new("c", Broadcast(subscribers, bytes, 1), PerCpuSecond, NarrowGoals());

    internal static Figure Memory(int connections) =>
        new("e", Invariant($"{connections:N0} idle connections: memory"), "KiB a connection", new Goal("tidings", null, 9, IsCeiling: true));

    internal static Figure IdleCpu(int connections) =>
        new("e-cpu", Invariant($"{connections:N0} idle connections: CPU"), "% of a core", new Goal("tidings", null, 2, IsCeiling: true));

    internal static Figure Accepts(int connections) =>
        new("f", Invariant($"{connections:N0} connections, from connect to subscribed"), "connections a second", new Goal("tidings", null, 4000));

    private static Goal[] NarrowGoals() => [new("tidings", "uws", 0.8), new("tidings", "ws", 1.3), new("tidings", "signalr", 3)];

    private static string Broadcast(int subscribers, int bytes, int inFlight) =>
        Invariant($"{subscribers:N0} subscribers, {(bytes % 1024 == 0 ? $"{bytes / 1024} KB" : $"{bytes} B")}, {inFlight} in flight");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}

/// <summary>A figure of Tidings is at least so many times that of a peer, or without a peer at least that value itself.</summary>
/// <param name="Contender">Whose figure.</param>
/// <param name="Peer">With whom it is compared, if with anybody.</param>
/// <param name="Bound">The factor or the value.</param>
/// <param name="IsCeiling">At most instead of at least.</param>
internal sealed record Goal(string Contender, string? Peer, double Bound, bool IsCeiling = false);
