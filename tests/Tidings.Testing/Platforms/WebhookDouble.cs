using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Tidings.Testing.Platforms;

/// <summary>
/// A receiver of webhooks at <c>/hook/{name}</c>, one account for each name. It knows ids that it has had already, as receivers should: a repetition is
/// answered with success and is not another post.
/// </summary>
public sealed class WebhookDouble : PlatformDouble
{
    private readonly ConcurrentDictionary<(string Account, string Id), bool> _seen = [];
    private readonly ConcurrentQueue<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> _received = [];
    private int _repetitions;
    private int _forged;

    /// <summary>The secret of all its accounts.</summary>
    public string Secret { get; } = $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}";

    /// <summary>How many requests came again with an id that it had.</summary>
    public int Repetitions => _repetitions;

    /// <summary>How many requests were not signed with <see cref="Secret"/>.</summary>
    public int Forged => _forged;

    /// <summary>The headers and the body of each request that posts.</summary>
    public IReadOnlyCollection<(IReadOnlyDictionary<string, string> Headers, byte[] Body)> Received => _received;

    /// <summary>What an account that posts here is connected with.</summary>
    public Uri UrlOf(string name) => new(Address, $"/hook/{name}");

    /// <inheritdoc />
    protected override void Map(IEndpointRouteBuilder routes) => routes.MapPost("/hook/{name}", (HttpContext context, string name) => PostAsync(context, body =>
    {
        if (IsGone) return Task.FromResult(Results.StatusCode(410));
        if (RefusesTokens) return Task.FromResult(Results.StatusCode(401));

        var id = context.Request.Headers["webhook-id"].ToString();
        _received.Enqueue((context.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString()), body));
        if (!IsSigned(id, context.Request.Headers, body))
        {
            Interlocked.Increment(ref _forged);
            return Task.FromResult(Results.StatusCode(400));
        }

        var data = JsonSerializer.Deserialize<JsonElement>(body).GetProperty("data");
        if (_seen.TryAdd((name, id), true)) Keep(name, id, id, data.GetProperty("text").GetString()!, data.GetProperty("media").GetArrayLength());
        else Interlocked.Increment(ref _repetitions);
        return Task.FromResult(Results.NoContent());
    }));

    private bool IsSigned(string id, IHeaderDictionary headers, byte[] body)
    {
        var signed = (byte[])[.. Encoding.UTF8.GetBytes($"{id}.{headers["webhook-timestamp"]}."), .. body];
        var expected = $"v1,{Convert.ToBase64String(HMACSHA256.HashData(Convert.FromBase64String(Secret["whsec_".Length..]), signed))}";
        return headers["webhook-signature"].ToString().Split(' ').Contains(expected, StringComparer.Ordinal);
    }
}
