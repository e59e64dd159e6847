using System.Security.Cryptography;
using System.Text;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>A script that Redis runs at once, asked for by its name, and sent where it is not known yet.</summary>
internal sealed class RedisScript(string text)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

#pragma warning disable CA5350 // It is how Redis names scripts, not a secret.
    private readonly string _hash = Convert.ToHexStringLower(SHA1.HashData(Encoding.UTF8.GetBytes(text)));
#pragma warning restore CA5350

    /// <summary>Runs it.</summary>
    /// <param name="link">Where.</param>
    /// <param name="key">What the names begin with that it uses.</param>
    /// <param name="clock">By which it is not waited for longer than three seconds.</param>
    /// <param name="cancellationToken">Gives up waiting.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="RedisException">Redis is out of reach, or the script failed.</exception>
    /// <exception cref="TimeoutException">Redis does not answer.</exception>
    public async Task<RespValue> RunAsync(
        RedisLink link, string key, TimeProvider clock, CancellationToken cancellationToken, params RedisArgument[] arguments)
    {
        var connection = link.Connection ?? throw new RedisException("Redis is out of reach.");
        try
        {
            return await AskAsync("EVALSHA", _hash);
        }
        catch (RedisException exception) when (exception.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal))
        {
            return await AskAsync("EVAL", text);
        }

        Task<RespValue> AskAsync(string command, string which) =>
            connection.AskAsync([command, which, 1, key, .. arguments]).WaitAsync(Patience, clock, cancellationToken);
    }
}
