using System.Buffers;
using System.Text.Json;
using Tidings.Realtime;
using Tidings.Realtime.Publications;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Realtime;

/// <summary>
/// Publishes several events, in their order. If one of them is wrong none is published, and each mistake is named by its place. What
/// fails after that leaves those before it published: a batch whose publications all have an <c>id</c> is repeated safely.
/// </summary>
internal static class PublishBatch
{
    private const int MaxPublications = 100;
    private const int MaxBody = (int)JsonBodies.MaxBytes;

    public sealed record Request(IReadOnlyList<PublishFromBackend.Request?>? Publications);

    /// <summary>One result for each publication, in the same order.</summary>
    public sealed record Answer(IReadOnlyList<PublishFromBackend.Answer> Results);

    public static async Task<IResult> HandleAsync(
        HttpRequest http, RealtimeEngine engine, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        var body = await RequestJson.ReadAsync(http, PublishJson.Strict.PublishBatchRequest, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;
        if (request.Publications is not { Count: > 0 and <= MaxPublications } publications)
            return Problems.Invalid("publications", $"There must be 1 to {MaxPublications}.");

        var drafts = new List<PublicationDraft>(publications.Count);
        var errors = new Dictionary<string, string[]>(StringComparer.Ordinal);
        for (var index = 0; index < publications.Count; index++)
        {
            var place = $"publications[{index}]";
            if (publications[index] is not { } publication)
            {
                errors[place] = ["This must be an object."];
                continue;
            }

            var mistakes = PublishFromBackend.Check(publication);
            foreach (var (field, what) in mistakes) errors[$"{place}.{field}"] = what;
            if (mistakes.Count > 0) continue;

            if (PublishFromBackend.TryDraft(publication, engine.Catalog, clock.GetUtcNow(), receivedAt, out var draft) is { } mistake)
                errors[$"{place}.{mistake.Field}"] = [mistake.Message];
            else
                drafts.Add(draft!);
        }

        if (errors.Count > 0) return Problems.Invalid(errors);

        var answer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(answer))
        {
            json.WriteStartObject();
            json.WriteStartArray("results");
            for (var index = 0; index < drafts.Count; index++)
                json.WriteRawValue(await PublishFromBackend.PublishAsync(drafts[index], publications[index]!.Id is not null, engine, store, cancellationToken));
            json.WriteEndArray();
            json.WriteEndObject();
        }

        return new JsonAnswer(200, answer.WrittenSpan.ToArray());
    }
}
