using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using Tidings.Protocols.Pusher;
using Tidings.Realtime;
using Tidings.Server.Host;
using Tidings.Server.Scaleout;

namespace Tidings.Server.Features.Pusher;

/// <summary>
/// Takes events from the app's servers: one, or a batch that is checked whole before anything of it is published. The answer means that they
/// were taken; in a durable channel that they are on disk.
/// </summary>
internal static class TriggerEvents
{
    private const int MaxBatch = 10;

    private static readonly JsonDocumentOptions Reading = new() { MaxDepth = 32, AllowDuplicateProperties = false };

    public static async Task<IResult> HandleAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        return Read(request, engine, isBatch: false, out var triggers) is { } mistake
            ? ProblemOf(mistake)
            : await PublishAsync(context, engine, triggers, isBatch: false);
    }

    public static async Task<IResult> HandleBatchAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        return Read(request, engine, isBatch: true, out var triggers) is { } mistake
            ? ProblemOf(mistake)
            : await PublishAsync(context, engine, triggers, isBatch: true);
    }

    /// <summary>An event as old libraries send it: its name in the query, its data as the body, for the one channel of the path.</summary>
    public static async Task<IResult> HandleNamedAsync(AppRequest request, HttpContext context)
    {
        var engine = context.RequestServices.GetRequiredService<RealtimeEngine>();
        var named = request with
        {
            Body = PusherJson.Object(json =>
            {
                json.WriteString("name"u8, request["name"]);
                json.WriteString("channel"u8, (string)context.GetRouteValue("channel")!);
                json.WriteString("data"u8, Encoding.UTF8.GetString(request.Body.Span));
                if (request["socket_id"] is { } socketId) json.WriteString("socket_id"u8, socketId);
            }).ToArray(),
        };
        if (Read(named, engine, isBatch: false, out var triggers) is { } mistake) return ProblemOf(mistake);
        await PublishAsync(context, engine, triggers, isBatch: false);
        return new JsonAnswer(202, "{}"u8.ToArray());
    }

    private static ProblemHttpResult ProblemOf(Trigger.Mistake mistake) =>
        Problems.Problem(mistake.Status, mistake.Status == 413 ? "too_large" : "invalid", mistake.Message);

    private static Trigger.Mistake? Read(AppRequest request, RealtimeEngine engine, bool isBatch, out List<Trigger> triggers)
    {
        triggers = [];
        var receivedAt = engine.Clock.GetTimestamp();
        try
        {
            using var document = JsonDocument.Parse(request.Body, Reading);
            var root = document.RootElement;
            JsonElement[] events = [root];
            if (isBatch)
            {
                if (root.ValueKind != JsonValueKind.Object || !root.TryGetProperty("batch", out var batch) || batch.ValueKind != JsonValueKind.Array)
                    return new(400, "batch must be an array of events.");
                if (batch.GetArrayLength() > MaxBatch) return new(400, $"A batch has at most {MaxBatch} events.");
                events = [.. batch.EnumerateArray()];
            }

            foreach (var json in events)
            {
                if (Trigger.TryRead(json, engine.Catalog, engine.Clock.GetUtcNow(), receivedAt, out var trigger) is { } mistake) return mistake;
                triggers.Add(trigger!);
            }

            return null;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return new(400, "The body is not JSON."); // the second is what half a character raises
        }
    }

    private static async Task<IResult> PublishAsync(HttpContext context, RealtimeEngine engine, List<Trigger> triggers, bool isBatch)
    {
        var cancellationToken = context.RequestAborted;
        foreach (var draft in triggers.SelectMany(static trigger => trigger.Publications))
            await engine.Publisher.PublishAsync(draft, cancellationToken);

        if (triggers.All(static trigger => trigger.Info.Count == 0)) return new JsonAnswer(200, "{}"u8.ToArray());
        var readers = context.RequestServices.GetRequiredService<IReaderCounts>();
        var infos = new List<IReadOnlyList<ChannelFacts>>();
        foreach (var trigger in triggers)
        {
            var facts = new List<ChannelFacts>();
            for (var index = 0; index < trigger.Names.Count && trigger.Info.Count > 0; index++)
                facts.Add(await ChannelFacts.ReadAsync(engine, readers, trigger.Names[index], trigger.Publications[index].Channel, trigger.Info, cancellationToken));
            infos.Add(facts);
        }

        return new JsonAnswer(200, PusherJson.Object(json =>
        {
            if (isBatch) WriteBatch(json, infos);
            else WriteChannels(json, infos[0]);
        }).ToArray());
    }

    private static void WriteBatch(Utf8JsonWriter json, List<IReadOnlyList<ChannelFacts>> infos)
    {
        json.WriteStartArray("batch"u8);
        foreach (var facts in infos)
        {
            json.WriteStartObject();
            if (facts.Count > 0) facts[0].WriteFields(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private static void WriteChannels(Utf8JsonWriter json, IReadOnlyList<ChannelFacts> channels)
    {
        json.WriteStartObject("channels"u8);
        foreach (var facts in channels)
        {
            json.WriteStartObject(facts.Name.Text);
            facts.WriteFields(json);
            json.WriteEndObject();
        }

        json.WriteEndObject();
    }
}
