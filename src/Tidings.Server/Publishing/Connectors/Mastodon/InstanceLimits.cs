using System.Text.Json;
using Tidings.Server.Host;
using Tidings.Server.Publishing.Outgoing;

namespace Tidings.Server.Publishing.Connectors.Mastodon;

/// <summary>What one instance takes; each has its own limits.</summary>
internal sealed record InstanceLimits(int Chars, int CharsPerUrl, int Files, long ImageBytes, long VideoBytes, IReadOnlySet<string> Types)
{
    /// <summary>What instances take that don't say, or can't be asked now.</summary>
    public static readonly InstanceLimits Usual = new(500, 23, 4, 16 * 1024 * 1024, 99 * 1024 * 1024, new HashSet<string>());

    private const int MaxTypes = 200;

    /// <summary>Reads what <c>/api/v2/instance</c> answers, or the older <c>/api/v1/instance</c>, or what other servers with this API make of it.</summary>
    public static InstanceLimits Of(JsonElement instance)
    {
        var (statuses, media) = (instance.Child("configuration").Child("statuses"), instance.Child("configuration").Child("media_attachments"));
        return new InstanceLimits(
            Number(statuses.Whole("max_characters") ?? instance.Whole("max_toot_chars"), Usual.Chars),
            Number(statuses.Whole("characters_reserved_per_url"), Usual.CharsPerUrl),
            Number(statuses.Whole("max_media_attachments"), Usual.Files),
            Number(media.Whole("image_size_limit"), Usual.ImageBytes),
            Number(media.Whole("video_size_limit"), Usual.VideoBytes),
            media.Items("supported_mime_types").Take(MaxTypes).Select(static type => type.AsText()).OfType<string>().ToHashSet(StringComparer.OrdinalIgnoreCase));
    }

    private static int Number(long? number, int otherwise) => number is > 0 and <= int.MaxValue ? (int)number.Value : otherwise;

    private static long Number(long? number, long otherwise) => number is > 0 ? number.Value : otherwise;
}

/// <summary>Asks instances for their limits, and remembers what they said for an hour.</summary>
internal sealed class Instances(OutgoingHttp http, TimeProvider clock)
{
    private const int Capacity = 1_000;
    private static readonly TimeSpan Time = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan GoodFor = TimeSpan.FromHours(1);
    private static readonly TimeSpan FailedFor = TimeSpan.FromMinutes(1);

    private readonly BoundedCache<string, (InstanceLimits Limits, DateTimeOffset GoodUntil)> _known = new(Capacity);

    public async ValueTask<InstanceLimits> LimitsAsync(Uri baseUrl, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (_known.TryGet(baseUrl.AbsoluteUri, out var known) && known.GoodUntil > now) return known.Limits;

        var answer = await AskAsync(baseUrl, "api/v2/instance", cancellationToken).ConfigureAwait(false);
        if (answer.Status == 404) answer = await AskAsync(baseUrl, "api/v1/instance", cancellationToken).ConfigureAwait(false);
        var isAnswered = answer is { IsSuccess: true, Json.ValueKind: JsonValueKind.Object };
        var limits = isAnswered ? InstanceLimits.Of(answer.Json) : known.Limits ?? InstanceLimits.Usual;
        _known.Set(baseUrl.AbsoluteUri, (limits, now + (isAnswered ? GoodFor : FailedFor)));
        return limits;
    }

    private async Task<OutgoingAnswer> AskAsync(Uri baseUrl, string path, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Credentials.Under(baseUrl, path));
        return await http.SendAsync(request, cancellationToken, Time).ConfigureAwait(false);
    }
}
