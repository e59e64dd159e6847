using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>Rows of the log in SQLite's statements.</summary>
internal static class StatementEvents
{
    /// <summary>The columns that <see cref="Read"/> takes, of <c>events</c> named <c>e</c>.</summary>
    public const string Columns =
        "e.seq, e.offset, e.created_at, e.id, e.type, e.payload, e.full_payload, e.full_needs, e.effect, e.effect_target, e.excluded_connection";

    /// <summary>Sets the twelve parameters of the insert.</summary>
    public static Statement Write(Statement insert, ChannelState channel, PublicationDraft draft)
    {
        insert.Bind(1, channel.LastSequence).Bind(2, channel.Id).Bind(3, channel.LastOffset)
            .Bind(4, draft.Timestamp.ToUnixTimeMilliseconds()).Bind(5, draft.Id).Bind(6, draft.Type)
            .BindBytes(7, draft.Payload.Span);
        if (draft.FullPayload is { } full) insert.BindBytes(8, full.Span);
        else insert.BindNull(8);
        return insert.Bind(9, draft.FullNeeds)
            .Bind(10, draft.Effect is { } effect ? (long)effect.Kind : null).Bind(11, draft.Effect?.Target?.Value)
            .Bind(12, draft.ExcludedConnectionId);
    }

    /// <summary>Makes the publication of the row on which a statement stands.</summary>
    /// <param name="rows">Knows what a row must be.</param>
    /// <param name="row">Its first columns are <see cref="Columns"/>.</param>
    /// <param name="channel">The row's channel.</param>
    /// <param name="epoch">The epoch of the channel's positions.</param>
    public static Publication Read(this EventRows rows, Statement row, ChannelName channel, ulong epoch) => rows.Read(
        new StoredEvent(
            row.ReadInt64(0), row.ReadInt64(0), row.ReadInt64(1), row.ReadInt64(2), row.ReadString(3), row.ReadString(4), row.ReadBytes(5),
            row.IsNull(6) ? null : row.ReadBytes(6), Text(row, 7), row.IsNull(8) ? null : row.ReadInt64(8), Text(row, 9), Text(row, 10)),
        channel,
        epoch);

    private static string? Text(Statement row, int column) => row.IsNull(column) ? null : row.ReadString(column);
}
