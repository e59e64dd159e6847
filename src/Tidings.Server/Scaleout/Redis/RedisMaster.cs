using System.Net;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>Finds the server of an installation that takes writes.</summary>
internal static class RedisMaster
{
    /// <summary>Opens a connection to the master: where the Sentinels say it is, or the first of the addresses that is one.</summary>
    /// <exception cref="RedisException">None is in reach.</exception>
    public static async Task<RedisConnection> OpenAsync(
        RedisInstallation installation, Action<IReadOnlyList<RespValue>> pushed, CancellationToken cancellationToken)
    {
        if (installation.ServiceName is not null)
            return await OpenAsync(await AskSentinelsAsync(installation, cancellationToken), installation, pushed, cancellationToken);

        RedisException? last = null;
        foreach (var endpoint in installation.Endpoints)
        {
            try
            {
                return await OpenAsync(endpoint, installation, pushed, cancellationToken);
            }
            catch (RedisException exception)
            {
                last = exception;
            }
        }

        throw last!;
    }

    /// <summary>Where the Sentinels say that the master is.</summary>
    /// <exception cref="RedisException">None of them says so.</exception>
    public static async Task<DnsEndPoint> AskSentinelsAsync(RedisInstallation installation, CancellationToken cancellationToken)
    {
        RedisException? last = null;
        foreach (var endpoint in installation.Endpoints)
        {
            try
            {
                await using var sentinel = await RedisConnection.OpenAsync(endpoint, installation, null, installation.SentinelPassword, static _ => { }, cancellationToken);
                var answer = await sentinel.AskAsync("SENTINEL", "get-master-addr-by-name", installation.ServiceName!).WaitAsync(cancellationToken);
                if (answer.Items is [var host, var port] && int.TryParse(port.Text, out var number)) return new DnsEndPoint(host.Text, number);
                last = new RedisException($"The Sentinel {endpoint.Host}:{endpoint.Port} knows no master named '{installation.ServiceName}'.");
            }
            catch (Exception exception) when (exception is RedisException or OperationCanceledException)
            {
                last = exception as RedisException ?? new RedisException($"The Sentinel {endpoint.Host}:{endpoint.Port} does not answer.", exception);
            }
        }

        throw last!;
    }

    private static async Task<RedisConnection> OpenAsync(
        DnsEndPoint endpoint, RedisInstallation installation, Action<IReadOnlyList<RespValue>> pushed, CancellationToken cancellationToken)
    {
        var connection = await RedisConnection.OpenAsync(endpoint, installation, installation.User, installation.Password, pushed, cancellationToken);
        try
        {
            // Where Sentinels were asked a moment ago, or several servers are named, it may be a replica by now.
            var role = await connection.AskAsync("ROLE").WaitAsync(cancellationToken);
            if (role.Items is [{ Text: "master" }, ..]) return connection;
            throw new RedisException($"{endpoint.Host}:{endpoint.Port} is not the master.");
        }
        catch (Exception exception) when (exception is RedisException or OperationCanceledException)
        {
            await connection.DisposeAsync();
            throw exception as RedisException ?? new RedisException($"{endpoint.Host}:{endpoint.Port} does not answer.", exception);
        }
    }
}
