using Tidings.Realtime.Channels;

namespace Tidings.Server.Storage;

/// <summary>What a channel is to give up: the events after one offset, through another.</summary>
internal sealed record Excess(long ChannelId, long From, long Through);

/// <summary>How events are given up, on both databases.</summary>
internal static class TrimmingPlan
{
    private const int MostInUnit = 500;
    private static readonly ChannelRules Unconfigured = new();

    /// <summary>The rules by which a channel of a name is trimmed; the general ones if its kind is not configured any more.</summary>
    public static ChannelRules RulesOf(ChannelCatalog catalog, string name)
    {
        var colon = name.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && catalog.Kinds.TryGetValue(name[..colon], out var rules) ? rules : Unconfigured;
    }

    /// <summary>Cuts the work into units of a bounded number of events.</summary>
    public static IEnumerable<List<Excess>> Portions(List<Excess> all)
    {
        var portion = new List<Excess>();
        long count = 0;
        foreach (var excess in all)
        {
            for (var from = excess.From; from < excess.Through;)
            {
                var through = Math.Min(excess.Through, from + MostInUnit - count);
                portion.Add(excess with { From = from, Through = through });
                count += through - from;
                from = through;
                if (count < MostInUnit) continue;

                yield return portion;
                portion = [];
                count = 0;
            }
        }

        if (portion.Count > 0) yield return portion;
    }
}
