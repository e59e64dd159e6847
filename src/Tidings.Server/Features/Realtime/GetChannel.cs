using System.Text.Json.Serialization;
using Tidings.Protocols.Native;
using Tidings.Realtime;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Server.Host;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Realtime;

/// <summary>A channel: <paramref name="Position"/> is where it stands, absent if it has no history.</summary>
internal sealed record ChannelDetails(
    string Name, string Kind, int Subscribers, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Position);

/// <summary>One channel as the host app's backend sees it: who reads it, and everything in its history.</summary>
internal static class GetChannel
{
    private const int UsualLimit = 100;
    private const int MostLimit = 1_000;

    public static async Task<IResult> HandleAsync(string name, RealtimeEngine engine, IReaderCounts readers, CancellationToken cancellationToken)
    {
        if (BackendProblems.TryChannel(engine.Catalog, name, out var channel) is { } problem) return problem;

        var top = engine.Catalog.RulesOf(channel!).History == 0
            ? Position.None
            : (await engine.ReadHistoryAsync(channel!, null, 1, NoRights.Instance, cancellationToken)).Position;
        return TypedResults.Ok(new ChannelDetails(
            channel!.Value, channel.Kind, (await readers.CountAsync([channel], cancellationToken))[0], top.Exists ? top.ToString() : null));
    }

    /// <summary>A page of the history in the full form: the backend is who published it.</summary>
    public static async Task<IResult> HistoryAsync(string name, RealtimeEngine engine, string? since, string? limit, CancellationToken cancellationToken)
    {
        if (BackendProblems.TryChannel(engine.Catalog, name, out var channel) is { } problem) return problem;
        if (!PageLimit.TryParse(limit, UsualLimit, MostLimit, out var count)) return PageLimit.Refusal(MostLimit);
        if (engine.Catalog.RulesOf(channel!).History == 0) return Problems.Problem(404, "no_history", "Channels of this kind keep no history.");

        Position? after = null;
        if (since is not null)
        {
            if (!Position.TryParse(since, out var position)) return Problems.Invalid("since", "This is not a position of ours.");
            after = position;
        }

        var page = await engine.ReadHistoryAsync(channel!, after, count, AllRights.Instance, cancellationToken);
        return new JsonAnswer(200, HistoryJson.Write(page, engine.Catalog));
    }

    private sealed class AllRights : IReaderRights
    {
        public static AllRights Instance { get; } = new();

        public bool Holds(string right) => true;
    }
}
