using System.Text.Json;
using Tidings.Realtime;
using Tidings.Realtime.Channels;
using Tidings.Server.Features.Posts;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Realtime;

/// <summary>Publishes to a user's own channel, <c>user:{id}</c>.</summary>
internal static class PublishToUser
{
    private const int MaxBody = 72 * 1024;

    public sealed record Request
    {
        public string? Event { get; init; }
        public JsonElement Data { get; init; }
        public string? Id { get; init; }
        public string? ExcludeConnectionId { get; init; }
    }

    public static async Task<IResult> HandleAsync(
        string id, HttpRequest http, RealtimeEngine engine, Store store, TimeProvider clock, CancellationToken cancellationToken)
    {
        var receivedAt = clock.GetTimestamp();
        if (!ChannelName.IsId(id)) return BackendProblems.NotAUser();
        var body = await RequestJson.ReadAsync(http, PublishJson.Strict.PublishToUserRequest, MaxBody, withFingerprint: false, cancellationToken);
        if (body.Value is not { } request) return body.Problem!;

        var publication = new PublishFromBackend.Request
        {
            Channel = $"user:{id}",
            Event = request.Event,
            Data = request.Data,
            Id = request.Id,
            ExcludeConnectionId = request.ExcludeConnectionId,
        };
        var errors = PublishFromBackend.Check(publication);
        if (errors.Count > 0) return Problems.Invalid(errors);
        return PublishFromBackend.TryDraft(publication, engine.Catalog, clock.GetUtcNow(), receivedAt, out var draft) is { } mistake
            ? mistake.ToProblem()
            : new JsonAnswer(200, await PublishFromBackend.PublishAsync(draft!, isRepeatable: request.Id is not null, engine, store, cancellationToken));
    }
}
