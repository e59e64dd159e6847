using System.Net;
using System.Text.Json;

namespace Tidings.Server.Auth.Jwt;

/// <summary>
/// The key set behind one configured URL; one instance per endpoint, so that keys are known by (endpoint, <c>kid</c>) and never by <c>kid</c>
/// alone. Nothing of a token ever becomes part of a request. Safe for all threads.
/// </summary>
internal sealed partial class JwksKeys(Uri endpoint, HttpMessageHandler handler, TimeProvider clock, ILogger<JwksKeys> log) : IDisposable
{
    /// <summary>The largest answer that is read.</summary>
    public const int MaxBytes = 64 * 1024;

    private const int MaxMissing = 256;

    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan BetweenFetches = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan MissingFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(10);

    private readonly HttpMessageInvoker _http = new(handler);
    private readonly Lock _lock = new();
    private readonly Dictionary<(JwtAlgorithm Algorithm, string? KeyId), long> _missing = [];
    private volatile KeySet? _set;
    private Task? _flight;
    private long? _triedAt;

    private sealed record KeySet(Dictionary<string, JwtKey> Keys, long FetchedAt);

    /// <summary>How the endpoint is asked: directly, without redirects, proxies or cookies.</summary>
    public static SocketsHttpHandler CreateHandler() => new()
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        UseProxy = false,
        ConnectTimeout = Timeout,
        MaxResponseHeadersLength = 16,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
    };

    /// <summary>
    /// The key of that id, if it is for that algorithm. A token without a <c>kid</c> gets the only key there is for its algorithm.
    /// Keys of more than ten minutes are asked for again behind the answer, so that withdrawn ones go.
    /// </summary>
    public JwtKey? Find(JwtAlgorithm algorithm, string? keyId)
    {
        if (_set is not { } set) return null;
        if (clock.GetElapsedTime(set.FetchedAt) > FreshFor) StartFetch();
        if (keyId is not null) return set.Keys.TryGetValue(keyId, out var named) && named.Algorithm == algorithm ? named : null;

        JwtKey? only = null;
        foreach (var key in set.Keys.Values)
        {
            if (key.Algorithm != algorithm) continue;
            if (only is not null) return null;
            only = key;
        }

        return only;
    }

    /// <summary>
    /// Fetches the set because a key is missing: one request at a time, one in five seconds, and for a key that a fetched set did not have
    /// one in a minute. False if it may not be fetched now. Failures keep the old keys.
    /// </summary>
    public async ValueTask<bool> RefreshForAsync(JwtAlgorithm algorithm, string? keyId, CancellationToken cancellationToken)
    {
        if (IsKnownMissing((algorithm, keyId)) || StartFetch() is not { } flight) return false;
        await flight.WaitAsync(cancellationToken);
        if (Find(algorithm, keyId) is null) RememberMissing((algorithm, keyId));
        return true;
    }

    public void Dispose() => _http.Dispose();

    private bool IsKnownMissing((JwtAlgorithm, string?) key)
    {
        lock (_lock) return _missing.TryGetValue(key, out var since) && clock.GetElapsedTime(since) < MissingFor;
    }

    private void RememberMissing((JwtAlgorithm, string?) key)
    {
        lock (_lock)
        {
            if (_set?.FetchedAt != _triedAt) return;   // it failed: only a set that was read can lack a key
            if (_missing.Count >= MaxMissing) _missing.Clear();
            _missing[key] = clock.GetTimestamp();
        }
    }

    /// <summary>The request under way, or a new one; null if the last one was too recent.</summary>
    private Task? StartFetch()
    {
        lock (_lock)
        {
            if (_flight is { IsCompleted: false }) return _flight;
            if (_triedAt is { } tried && clock.GetElapsedTime(tried) < BetweenFetches) return null;
            var startedAt = clock.GetTimestamp();
            _triedAt = startedAt;
            return _flight = Task.Run(() => FetchAsync(startedAt));
        }
    }

    private async Task FetchAsync(long startedAt)
    {
        using var timeout = new CancellationTokenSource(Timeout, clock);
        try
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, endpoint);
            request.Headers.Accept.ParseAdd("application/json");
            using var response = await _http.SendAsync(request, timeout.Token);
            if (response.StatusCode != HttpStatusCode.OK) throw new HttpRequestException($"The answer is {(int)response.StatusCode}.");

            var keys = JwksDocument.Read(await ReadAsync(response.Content, timeout.Token));
            _set = new KeySet(keys, startedAt);
            Log.Fetched(log, endpoint, keys.Count);
        }
        catch (Exception exception) when (exception is HttpRequestException or OperationCanceledException or JsonException or IOException)
        {
            Log.FetchFailed(log, endpoint, exception);
        }
    }

    private static async Task<ReadOnlyMemory<byte>> ReadAsync(HttpContent content, CancellationToken cancellationToken)
    {
        await using var body = await content.ReadAsStreamAsync(cancellationToken);
        var buffer = new byte[MaxBytes + 1];
        var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length <= MaxBytes ? buffer.AsMemory(0, length) : throw new HttpRequestException($"The answer is over {MaxBytes} bytes.");
    }

    private static partial class Log
    {
        [LoggerMessage(1101, LogLevel.Information, "Read {Count} signing keys from {Endpoint}.")]
        public static partial void Fetched(ILogger logger, Uri endpoint, int count);

        [LoggerMessage(1102, LogLevel.Warning, "Cannot read the signing keys from {Endpoint}; the ones known before stay.")]
        public static partial void FetchFailed(ILogger logger, Uri endpoint, Exception exception);
    }
}
