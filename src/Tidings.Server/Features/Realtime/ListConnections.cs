using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;

namespace Tidings.Server.Features.Realtime;

/// <summary>One live connection. Its id gives no access; a publication may leave it out by <c>excludeConnectionId</c>.</summary>
internal sealed record ConnectionListed(string Id, string? UserId, string Protocol, DateTimeOffset? ExpiresAt);

/// <summary>A page of connections; <paramref name="NextCursor"/> is null on the last.</summary>
internal sealed record ConnectionPage(IReadOnlyList<ConnectionListed> Connections, int Total, string? NextCursor);

/// <summary>The live connections of this node, waiting polls included, in the order of their ids; of one user, or all.</summary>
internal static class ListConnections
{
    private const int UsualLimit = 100;
    private const int MostLimit = 1_000;
    private const int MaxCursor = 64;

    public static IResult Handle(RealtimeEngine engine, string? userId, string? cursor, string? limit)
    {
        if (!PageLimit.TryParse(limit, UsualLimit, MostLimit, out var count)) return PageLimit.Refusal(MostLimit);
        if (userId is not null && !ChannelName.IsId(userId)) return Problems.Invalid("userId", "This is not the id of a user.");
        if (cursor is not null && (cursor.Length is 0 or > MaxCursor || !ChannelName.IsId(cursor))) return Problems.Invalid("cursor", "This is not a cursor of ours.");

        var page = engine.ConnectionsOf(userId)
            .Where(connection => cursor is null || string.CompareOrdinal(connection.Id, cursor) > 0)
            .OrderBy(static connection => connection.Id, StringComparer.Ordinal)
            .Take(count + 1)
            .ToList();
        return TypedResults.Ok(new ConnectionPage(
            [.. page.Take(count).Select(static connection =>
                new ConnectionListed(connection.Id, connection.Identity.UserId, connection.Format.Name, connection.Identity.ExpiresAt))],
            engine.ConnectionCount,
            page.Count > count ? page[count - 1].Id : null));
    }
}
