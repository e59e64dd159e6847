using System.Text;
using System.Text.Json;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Access;

/// <summary>
/// History obeys the rights of the moment at which it is read. When a post is locked, or locked otherwise, or deleted, what the log still
/// holds of it and of its comments is rewritten in the same unit, each event at its offset; so is what it holds of a comment that is deleted.
/// What nodes have in memory follows with <see cref="PostHistoryRewritten"/>.
/// </summary>
internal static class PostHistory
{
    /// <summary>The channels in which a post's text may be.</summary>
    public static ChannelName[] ChannelsOf(string postId, string authorId) =>
        [EventChannels.Creator(authorId), EventChannels.Post(postId), EventChannels.PublicPosts];

    /// <summary>Rewrites the log, and says so to all nodes. After the last statement about the post, before its own event is appended.</summary>
    public static async ValueTask RewriteAsync(IWriteUnit write, bool isPostgres, PostHistoryRewritten change)
    {
        var payload = new PostRewrittenPayload(change.PostId, change.AuthorId, change.Level, change.Access) { CommentId = change.CommentId };
        ChannelName[] channels = change.CommentId is null ? ChannelsOf(change.PostId, change.AuthorId) : [EventChannels.Post(change.PostId)];
        var asked = new { Channels = JsonSerializer.Serialize(channels.Select(static channel => channel.Value)), Needle = NeedleOf(payload) };
        foreach (var row in await write.QueryAsync<Row>(isPostgres ? Sql.FindOnPostgres : Sql.Find, asked).ConfigureAwait(false))
        {
            if (Rewritten(row.Type, row.Payload, row.FullPayload, row.FullNeeds, payload, row.Channel == EventChannels.PublicPosts.Value) is not { } forms) continue;
            await write.ExecuteAsync(
                Sql.Change, new { row.ChannelId, row.Place, forms.Open, forms.Full, forms.Needs }).ConfigureAwait(false);
        }

        await write.AppendAsync(change).ConfigureAwait(false);
    }

    /// <summary>What does the same to events in memory; it says null of one that says nothing of the post.</summary>
    public static Func<PublicationDraft, PublicationDraft?> RewriterOf(PostRewrittenPayload change)
    {
        var needle = NeedleOf(change);
        return draft => draft.Type is "post_created" or "post_updated" or "comment_added" or "comment_updated"
            && (draft.Payload.Span.IndexOf(needle) >= 0 || (draft.FullPayload is { } full && full.Span.IndexOf(needle) >= 0)) ? Rewritten(draft, change) : null;
    }

    private static byte[] NeedleOf(PostRewrittenPayload change) => Encoding.ASCII.GetBytes($"\"{change.CommentId ?? change.PostId}\"");

    private static PublicationDraft? Rewritten(PublicationDraft draft, PostRewrittenPayload change)
    {
        var full = draft.FullPayload is { } bytes ? bytes.ToArray() : null;
        if (Rewritten(draft.Type, draft.Payload.ToArray(), full, draft.FullNeeds, change, draft.Channel == EventChannels.PublicPosts) is not { } forms) return null;
        return draft with { Payload = forms.Open, FullPayload = forms.Full is null ? default(ReadOnlyMemory<byte>?) : forms.Full, FullNeeds = forms.Needs };
    }

    private static Forms? Rewritten(string type, byte[] payload, byte[]? full, string? needs, PostRewrittenPayload change, bool isForEverybody)
    {
        try
        {
            return type switch
            {
                "comment_added" or "comment_updated" when EventJson.Read<CommentPayload>(full ?? payload) is { Comment: { } comment } said
                    && said.PostId == change.PostId && (change.CommentId is null || comment.Id == change.CommentId) => FormsOf(said, comment, full is null ? null : needs, change),
                _ when change.CommentId is not null => null,
                "post_created" when EventJson.Read<PostCreatedPayload>(full ?? payload) is { Post: { } post } created && post.Id == change.PostId =>
                    FormsOf(Now(post, change), isForEverybody, now => created with { Post = now }),
                "post_updated" when EventJson.Read<PostUpdatedPayload>(full ?? payload) is { Post: { } post } updated && post.Id == change.PostId =>
                    FormsOf(Now(post, change), isForEverybody, now => updated with { Post = now }),
                _ => null,
            };
        }
        catch (JsonException)
        {
            return null; // a backend's own event of the same name
        }
    }

    private static Forms FormsOf(CommentPayload said, NormalisedComment comment, string? needs, PostRewrittenPayload change)
    {
        var nothing = EventJson.Write(said with { Comment = null });
        if (change.CommentId is null)
        {
            return change.Access is null
                ? new Forms(nothing, null, null)
                : new Forms(nothing, EventJson.Write(said), new PostRight(change.PostId, change.Level, change.AuthorId).ToString());
        }

        var gone = EventJson.Write(said with { Comment = comment with { Author = null, Content = "", IsDeleted = true } });
        return needs is null ? new Forms(gone, null, null) : new Forms(nothing, gone, needs);
    }

    private static Forms FormsOf(NormalisedPost post, bool isForEverybody, Func<NormalisedPost, EventPayload> payload) =>
        post.Right is null || isForEverybody
            ? new Forms(EventJson.Write(payload(post.Preview())), null, null)
            : new Forms(EventJson.Write(payload(post.Preview())), EventJson.Write(payload(post)), post.Right);

    private static NormalisedPost Now(NormalisedPost post, PostRewrittenPayload change) => change.Access is { } access
        ? post with { Access = access, Right = new PostRight(post.Id, change.Level, change.AuthorId).ToString() }
        : post with
        {
            Content = new PostContent("", null),
            Media = post.Media with { Url = null, Thumbnail = null },
            Access = post.Access with { HasAccess = false },
        };

    private readonly record struct Forms(byte[] Open, byte[]? Full, string? Needs);

    private sealed record Row
    {
        public long ChannelId { get; init; }
        public string Channel { get; init; } = "";
        public long Place { get; init; }
        public string Type { get; init; } = "";
        public byte[] Payload { get; init; } = [];
        public byte[]? FullPayload { get; init; }
        public string? FullNeeds { get; init; }
    }

    private static class Sql
    {
        private const string Events = """
            SELECT c.id AS ChannelId, c.name AS Channel, e."offset" AS Place, e.type AS Type, e.payload AS Payload, e.full_payload AS FullPayload, e.full_needs AS FullNeeds
            FROM channels c JOIN events e ON e.channel_id = c.id
            WHERE c.name IN (SELECT value FROM json_each(@Channels)) AND e.type IN ('post_created', 'post_updated', 'comment_added', 'comment_updated')
            """;

        public const string Find = $"{Events} AND (instr(e.payload, @Needle) > 0 OR instr(e.full_payload, @Needle) > 0)";
        public const string FindOnPostgres = $"{Events} AND (position(@Needle in e.payload) > 0 OR position(@Needle in e.full_payload) > 0)";

        public const string Change = """
            UPDATE events SET payload = @Open, full_payload = @Full, full_needs = @Needs WHERE channel_id = @ChannelId AND "offset" = @Place
            """;
    }
}
