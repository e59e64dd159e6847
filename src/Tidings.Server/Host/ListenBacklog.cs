using System.Globalization;

namespace Tidings.Server.Host;

/// <summary>
/// How many clients may stand at the door while nobody opens. Whoever comes when it is full is not told: their system tries again a second
/// later, which makes a storm of reconnects last.
/// </summary>
internal static class ListenBacklog
{
    /// <summary>What is asked of the system.</summary>
    public const int Wanted = 4096;

    private const string SystemLimit = "/proc/sys/net/core/somaxconn";

    /// <summary>A sentence if the system allows less than is wanted, otherwise null. Nothing is known of systems other than Linux.</summary>
    public static string? Warning()
    {
        try
        {
            return File.Exists(SystemLimit) ? WarningFor(File.ReadAllText(SystemLimit)) : null;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>As <see cref="Warning"/>, for what the system says.</summary>
    internal static string? WarningFor(string limit) =>
        int.TryParse(limit, NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var most) && most < Wanted
            ? $"the system lets {most} clients wait to be accepted: raise net.core.somaxconn to {Wanted} so that clients who come back together need not try again."
            : null;
}
