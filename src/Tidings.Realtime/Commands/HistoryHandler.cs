using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Feeds;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Commands;

/// <summary>
/// Answers a page of history, in the form that the reader may see now: to whom the rules let in, and to a subscriber, who may have come
/// with a token.
/// </summary>
internal static class HistoryHandler
{
    private const int MaxLimit = 1_000;

    public static async ValueTask HandleAsync(RealtimeEngine engine, Connection connection, HistoryCommand command, CancellationToken cancellationToken)
    {
        var rules = engine.Catalog.RulesOf(command.Channel);
        var grant = await engine.AuthorizeAsync(connection.Identity, command.Channel, null, cancellationToken).ConfigureAwait(false);
        var rights = grant.IsAllowed ? grant.Rights : await RightsOfSubscriberAsync(engine, connection, command.Channel).ConfigureAwait(false);
        if (rights is null || rules.History == 0)
        {
            engine.Metrics.CountRefusal(Refusal.Forbidden);
            connection.Send(new ErrorMessage(command.Id, ErrorCode.Forbidden, "There is no history of this channel for you.", command.Channel.Value));
            return;
        }

        connection.Send(await ReadAsync(engine, command, rights, cancellationToken).ConfigureAwait(false));
    }

    /// <summary>Reads a page in the form that these rights allow.</summary>
    public static async ValueTask<HistoryMessage> ReadAsync(
        RealtimeEngine engine, HistoryCommand command, IReaderRights rights, CancellationToken cancellationToken)
    {
        var isFeed = engine.Catalog.RulesOf(command.Channel).IsFeed;
        var limit = Math.Clamp(command.Limit, 1, MaxLimit);
        var page = isFeed
            ? await OfFeedAsync(engine, command, limit, cancellationToken).ConfigureAwait(false)
            : await OfChannelAsync(engine, command, limit, cancellationToken).ConfigureAwait(false);
        page = Fit(page, engine.Options.OutboundBytes / 2, command.Since is not null, isFeed);
        return new HistoryMessage(
            command.Id ?? 0, command.Channel, [.. page.Events.Where(publication => !publication.IsTombstone && !rights.Hides(publication))], rights, page.Position, page.IsRecovered);
    }

    /// <summary>What a subscriber may see; null if the connection has not subscribed, or not any more.</summary>
    private static Task<IReaderRights?> RightsOfSubscriberAsync(RealtimeEngine engine, Connection connection, ChannelName channel)
    {
        var found = new TaskCompletionSource<IReaderRights?>(engine.Scheduler.Completions);
        connection.Shard.Post(() => found.TrySetResult(connection.SubscriptionTo(channel)?.Rights));
        return found.Task;
    }

    private static async ValueTask<Page> OfChannelAsync(RealtimeEngine engine, HistoryCommand command, int limit, CancellationToken cancellationToken)
    {
        var log = engine.LogOf(engine.Catalog.RulesOf(command.Channel));
        var snapshot = await log.ReadChannelAsync(command.Channel, command.Since is null ? limit : 0, cancellationToken).ConfigureAwait(false);
        var top = new Position(snapshot.Epoch, snapshot.LastOffset);
        if (command.Since is not { } since) return new Page(snapshot.Recent, top, null);
        if (since.Epoch != snapshot.Epoch || since.Offset > snapshot.LastOffset || since.Offset < snapshot.TrimmedThrough) return new Page([], top, false);

        var events = await log.ReadSinceAsync(command.Channel, since.Offset, limit, cancellationToken).ConfigureAwait(false);
        return new Page(events, events.Count > 0 ? events[^1].Position : top, true);
    }

    private static async ValueTask<Page> OfFeedAsync(RealtimeEngine engine, HistoryCommand command, int limit, CancellationToken cancellationToken)
    {
        var log = engine.DurableLog;
        var top = new Position(log.SequenceEpoch, await log.ReadLastSequenceAsync(cancellationToken).ConfigureAwait(false));
        if (command.Since is not { } since || since.Epoch != top.Epoch || since.Offset > top.Offset)
            return new Page([], top, command.Since is null ? null : false);

        var sources = await engine.FeedSources.ReadAsync(command.Channel, cancellationToken).ConfigureAwait(false);
        var page = await log.ReadFeedSinceAsync([new FeedSource(command.Channel, 0), .. sources], since.Offset, limit, cancellationToken).ConfigureAwait(false);
        return new Page(page.Events, page.HasMore ? page.Events[^1].FeedPosition : top, !page.IsTrimmed);
    }

    /// <summary>
    /// As much of a page as may wait for one connection beside what waits already: a page over the outbound limit would look like a slow
    /// reader, for ever. With a position the oldest stay and the client goes on behind them, without one the newest. Never less than one.
    /// </summary>
    private static Page Fit(Page page, long most, bool fromOldest, bool isFeed)
    {
        var events = page.Events;
        var count = 0;
        for (var bytes = 0L; count < events.Count; count++)
        {
            bytes += BytesOf(fromOldest ? events[count] : events[^(count + 1)]);
            if (bytes > most && count > 0) break;
        }

        if (count == events.Count) return page;
        if (!fromOldest) return page with { Events = [.. events.TakeLast(count)] };
        var last = events[count - 1];
        return page with { Events = [.. events.Take(count)], Position = isFeed ? last.FeedPosition : last.Position };
    }

    private static long BytesOf(Publication publication)
    {
        const int ofOurOwnFields = 1_024;
        return ofOurOwnFields + Math.Max(publication.Draft.Payload.Length, publication.Draft.FullPayload?.Length ?? 0);
    }

    private sealed record Page(IReadOnlyList<Publication> Events, Position Position, bool? IsRecovered);
}
