using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Host;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Pusher;

/// <summary>What the app's servers ask of channels: which are read, by how many, by whom, and what a cache channel holds.</summary>
internal static class ReadChannels
{
    private const int PageSize = 1_000;
    private const int MostListed = 10_000;

    /// <summary>The channels that are read.</summary>
    public static async Task<IResult> ListAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        var prefix = request["filter_by_prefix"] ?? "";
        var info = request.Info;
        if (info.Any(static attribute => attribute != ChannelFacts.UserCount)) return Wrong("The list of channels tells user_count at most.");
        if (info.Count > 0 && !prefix.StartsWith("presence-", StringComparison.Ordinal)) return Wrong("user_count is told of presence channels: filter_by_prefix must begin with presence-.");

        var listed = new List<ChannelFacts>();
        await foreach (var channel in OccupiedAsync(ReadersOf(context), context.RequestAborted))
        {
            var name = new PusherName(PusherName.SpellingOf(channel));
            if (name.UserId is not null || !name.Text.StartsWith(prefix, StringComparison.Ordinal)) continue;
            listed.Add(await ChannelFacts.ReadAsync(engine, ReadersOf(context), name, channel, info, context.RequestAborted));
            if (listed.Count == MostListed) break;
        }

        return Answer(json =>
        {
            json.WriteStartObject("channels"u8);
            foreach (var facts in listed)
            {
                json.WriteStartObject(facts.Name.Text);
                facts.WriteFields(json);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        });
    }

    /// <summary>One channel.</summary>
    public static async Task<IResult> GetAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        if (Find(context, engine, out var name, out var channel) is { } problem) return problem;

        var info = request.Info;
        if (info.FirstOrDefault(static attribute => attribute is not (ChannelFacts.UserCount or ChannelFacts.SubscriptionCount or ChannelFacts.Cache)) is { } unknown)
            return Wrong($"There is nothing to be told that is called '{unknown}'.");
        if (info.Contains(ChannelFacts.UserCount) && !name.IsPresence) return Wrong("user_count is told of presence channels.");
        if (info.Contains(ChannelFacts.SubscriptionCount) && name.IsPresence) return Wrong("subscription_count is not told of presence channels.");
        if (info.Contains(ChannelFacts.Cache) && !(name.IsCached && channel!.IsForeign)) return Wrong("cache is told of cache channels.");

        var facts = await ChannelFacts.ReadAsync(engine, ReadersOf(context), name, channel!, info, context.RequestAborted);
        var isOccupied = facts.Users > 0 || (await ReadersOf(context).CountAsync([channel!], context.RequestAborted))[0] > 0;
        var cached = info.Contains(ChannelFacts.Cache) ? await LastEvent.ReadAsync(engine, channel!, null, context.RequestAborted) : null;
        return Answer(json =>
        {
            json.WriteBoolean("occupied"u8, isOccupied);
            facts.WriteFields(json);
            if (!info.Contains(ChannelFacts.Cache)) return;
            if (cached is null)
            {
                json.WriteNull("cache"u8);
                return;
            }

            json.WriteStartObject("cache"u8);
            json.WriteString("data"u8, TextOf(cached.Draft.Payload.Span));
            json.WriteNumber("ttl"u8, (long)(LastEvent.Lifetime - (engine.Clock.GetUtcNow() - cached.Draft.Timestamp)).TotalSeconds);
            json.WriteEndObject();
        });
    }

    /// <summary>Who is in a presence channel.</summary>
    public static async Task<IResult> UsersAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        if (Find(context, engine, out var name, out var channel) is { } problem) return problem;
        if (!name.IsPresence) return Wrong("Users are told of presence channels.");

        var present = await engine.ReadPresenceAsync(channel!, context.RequestAborted);
        return Answer(json =>
        {
            json.WriteStartArray("users"u8);
            foreach (var member in present.Members)
            {
                json.WriteStartObject();
                json.WriteString("id"u8, member.UserId);
                json.WriteEndObject();
            }

            json.WriteEndArray();
        });
    }

    /// <summary>How many connections there are.</summary>
    public static async Task<IResult> CountConnectionsAsync(AppRequest request, HttpContext context)
    {
        var count = await ReadersOf(context).CountConnectionsAsync(context.RequestAborted);
        return Answer(json => json.WriteNumber("connections"u8, count));
    }

    private static IReaderCounts ReadersOf(HttpContext context) => context.RequestServices.GetRequiredService<IReaderCounts>();

    private static async IAsyncEnumerable<ChannelName> OccupiedAsync(
        IReaderCounts readers, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        for (var after = ""; ;)
        {
            var page = await readers.ListAsync(after, null, PageSize, cancellationToken);
            foreach (var (channel, subscribers) in page)
                if (subscribers > 0) yield return channel;
            if (page.Count < PageSize) yield break;
            after = page[^1].Channel.Value;
        }
    }

    private static string TextOf(ReadOnlySpan<byte> payload) =>
        payload is [(byte)'"', ..] ? JsonSerializer.Deserialize<string>(payload)! : Encoding.UTF8.GetString(payload);

    private static ProblemHttpResult? Find(HttpContext context, RealtimeEngine engine, out PusherName name, out ChannelName? channel)
    {
        name = new PusherName((string)context.GetRouteValue("channel")!);
        return name.Find(engine.Catalog, out channel) == ChannelNameError.None ? null : Wrong("This is not the name of a channel.");
    }

    private static ProblemHttpResult Wrong(string message) => Problems.Problem(400, "invalid", message);

    private static JsonAnswer Answer(Action<Utf8JsonWriter> write) => new(200, PusherJson.Object(write).ToArray());
}
