using System.Globalization;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>How long a client is asked to stay away. Random, so that those who were cut together don't come back together.</summary>
internal static class RetryDelay
{
    private const string Prefix = "retry=";

    /// <summary>After an ordinary end of a stream: 2 to 5 s.</summary>
    public static TimeSpan Ordinary() => TimeSpan.FromMilliseconds(Random.Shared.Next(2_000, 5_001));

    /// <summary>While the server is leaving or overloaded: 5 to 15 s.</summary>
    public static TimeSpan Long() => TimeSpan.FromMilliseconds(Random.Shared.Next(5_000, 15_001));

    /// <summary>The delay that a close reason names, or null.</summary>
    public static TimeSpan? Of(CloseReason reason) =>
        reason.Reason.StartsWith(Prefix, StringComparison.Ordinal)
        && long.TryParse(reason.Reason.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            ? TimeSpan.FromMilliseconds(milliseconds)
            : null;
}
