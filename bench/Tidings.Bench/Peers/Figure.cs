namespace Tidings.Bench.Peers;

/// <summary>One table of the comparison.</summary>
/// <param name="Key">As <c>--figures</c> and the results name it.</param>
/// <param name="Title">What was done.</param>
/// <param name="Unit">Of the value by which the servers are compared.</param>
/// <param name="Goals">What Tidings should reach.</param>
internal sealed record Figure(string Key, string Title, string Unit, params IReadOnlyList<Goal> Goals);

/// <summary>A figure of Tidings is at least so many times that of a peer.</summary>
internal sealed record Goal(string Contender, string Peer, double Factor);
