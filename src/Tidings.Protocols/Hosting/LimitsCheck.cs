using Tidings.Realtime;
using Tidings.Realtime.Channels;

namespace Tidings.Protocols.Hosting;

/// <summary>Looks at the limits that a host has set, so that a wrong one stops it at start.</summary>
internal static class LimitsCheck
{
    /// <exception cref="ArgumentException">A limit cannot be used.</exception>
    public static void Run(RealtimeOptions limits, ChannelCatalog catalog)
    {
        foreach (var property in typeof(RealtimeOptions).GetProperties())
        {
            var isPositive = property.GetValue(limits) switch
            {
                int number => number > 0,
                long number => number > 0,
                TimeSpan time => time >= TimeSpan.Zero && (time > TimeSpan.Zero || MayBeZero(property.Name)),
                _ => true,
            };
            if (!isPositive) throw new ArgumentException($"Limits.{property.Name} must be above zero.");
        }

        if (limits.OnlineChannel is { } online && (!catalog.Kinds.TryGetValue(online.Kind, out var rules) || rules.Presence == PresenceRule.None))
            throw new ArgumentException($"Limits.OnlineChannel is '{online}': add its kind with tidings.Channel, with Presence.");
    }

    private static bool MayBeZero(string name) =>
        name is nameof(RealtimeOptions.ExpiryWarning) or nameof(RealtimeOptions.ExpiryGrace) or nameof(RealtimeOptions.PresenceGrace) or nameof(RealtimeOptions.ChannelLinger) or nameof(RealtimeOptions.ReturnWindow);
}
