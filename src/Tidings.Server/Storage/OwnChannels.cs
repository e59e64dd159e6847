using System.Text.Json;
using Tidings.Realtime.Channels;

namespace Tidings.Server.Storage;

/// <summary>Takes all events of channels out of the log, as trimming does: their offsets stay used up.</summary>
internal static class OwnChannels
{
    /// <summary>Forgets what there is now. For channels that nobody can read any more: what nodes have in memory of them stays until it is not used.</summary>
    public static async ValueTask ForgetEventsAsync(this IWriteUnit write, bool isPostgres, IReadOnlyList<ChannelName> channels)
    {
        var names = new { Names = JsonSerializer.Serialize(channels.Select(static channel => channel.Value)) };
        await write.ExecuteAsync(isPostgres ? Sql.MarkOnPostgres : Sql.Mark, names).ConfigureAwait(false);
        await write.ExecuteAsync(Sql.Delete, names).ConfigureAwait(false);
    }

    private static class Sql
    {
        private const string These = "name IN (SELECT value FROM json_each(@Names))";

        public const string Mark = $"UPDATE channels SET trimmed_through = last_offset, trimmed_seq = last_seq WHERE {These}";
        public const string MarkOnPostgres = $"UPDATE channels SET trimmed_through = last_offset, trimmed_place = last_place WHERE {These}";
        public const string Delete = $"DELETE FROM events WHERE channel_id IN (SELECT id FROM channels WHERE {These})";
    }
}
