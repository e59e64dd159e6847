using Microsoft.Extensions.Logging;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;

namespace Tidings.Protocols.Admission;

/// <summary>The channels that a connection is subscribed to without asking for each.</summary>
internal static partial class AttachedChannels
{
    private static readonly string[] OwnKinds = ["user", "notifications", "feed"];

    /// <summary>The channel of everybody, and those of the signed-in user if wanted. Kinds that this host does not have are left out.</summary>
    public static IEnumerable<ChannelName> For(ClientIdentity identity, ChannelCatalog catalog, bool own)
    {
        if (catalog.Compose("broadcast", "all", out var broadcast) == ChannelNameError.None) yield return broadcast!;
        if (!own || identity.UserId is not { } userId) yield break;

        foreach (var kind in OwnKinds)
            if (catalog.Compose(kind, userId, out var channel) == ChannelNameError.None) yield return channel!;
    }

    /// <summary>
    /// Subscribes a connection to them. What it may not read is left out; the client hears of a fault of ours as of any other subscription that failed.
    /// </summary>
    public static async Task SubscribeAsync(RealtimeEngine engine, Connection connection, bool own, ILogger logger, CancellationToken cancellationToken)
    {
        foreach (var channel in For(connection.Identity, engine.Catalog, own))
        {
            try
            {
                var grant = await engine.AuthorizeAsync(connection.Identity, channel, null, cancellationToken);
                if (!grant.IsAllowed) continue;
                await engine.SubscribeAsync(connection, new SubscribeCommand(null, channel, null, null, null) { IsAttached = true }, grant, cancellationToken);
            }
#pragma warning disable CA1031 // See above.
            catch (Exception exception) when (exception is not OperationCanceledException)
#pragma warning restore CA1031
            {
                Log.Fault(logger, connection.Id, exception);
                connection.Send(new ErrorMessage(null, ErrorCode.Internal, "The server could not subscribe you now.", channel.Value));
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(EventId = 2003, Level = LogLevel.Error, Message = "Could not subscribe connection {ConnectionId} to a channel of its own")]
        public static partial void Fault(ILogger logger, string connectionId, Exception exception);
    }
}
