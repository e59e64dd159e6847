using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Dapper;
using Tidings.Server.Auth.Jwt;
using Tidings.Server.Host;
using Tidings.Server.Storage;

namespace Tidings.Server.Features.Accounts;

/// <summary>
/// Users who signed in elsewhere: the first good token of an unknown user makes one from its claims, once at a time. Safe for all threads.
/// </summary>
internal sealed class HostUsers(Store store, KnownUsers known, TimeProvider clock)
{
    private const int MaxAvatar = 2_048;

    /// <summary>The plain letters of U+00C0 to U+017F: the framework decomposes none without the ICU data, which the server goes without.</summary>
    private const string PlainLetters =
        "AAAAAAACEEEEIIIIDNOOOOO OUUUUYTsaaaaaaaceeeeiiiidnooooo ouuuuytyAaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGg" +
        "GgGgHhHhIiIiIiIiIiIiJjKkkLlLlLlLlLlNnNnNnnNnOoOoOoOoRrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

    private readonly ConcurrentDictionary<string, Lazy<Task>> _flights = new(StringComparer.Ordinal);

    /// <summary>Makes the user of a token if there is none yet.</summary>
    public async ValueTask EnsureAsync(Jwt jwt, CancellationToken cancellationToken)
    {
        if (known.IsRemembered(jwt.UserId) || await known.ExistsAsync(jwt.UserId, cancellationToken)) return;

        // The flight is nobody's own: that one caller goes away must not fail the others.
        var flight = _flights.GetOrAdd(jwt.UserId, id => new Lazy<Task>(() => MakeAsync(id, jwt)));
        await flight.Value.WaitAsync(cancellationToken);
    }

    private async Task MakeAsync(string userId, Jwt jwt)
    {
        try
        {
            await CreateAsync(userId, jwt);
            known.Remember(userId);
        }
        finally
        {
            _flights.TryRemove(userId, out _);
        }
    }

    private Task CreateAsync(string userId, Jwt jwt)
    {
        var rows = NicknamesFor(userId, jwt.Nickname ?? jwt.Name).Select(nickname => new
        {
            Id = userId,
            Nickname = nickname,
            NicknameKey = AccountKeys.Of(nickname),
            FullName = CleanName(jwt.Name),
            Avatar = CleanUrl(jwt.Picture),
            Now = clock.GetUtcNow().ToUnixTimeMilliseconds(),
        }).ToArray();

        return store.WriteAsync(
            async write =>
            {
                foreach (var row in rows)
                {
                    if (await write.ExecuteAsync(Sql.Insert, row) == 1) return;
                    if (await write.QuerySingleOrDefaultAsync<long>(Sql.CountOfId, row) != 0) return;   // another node was faster
                }
            },
            CancellationToken.None);
    }

    /// <summary>The name as a nickname, then with ever longer pieces of the id's hash; the last one is as good as unique.</summary>
    internal static IEnumerable<string> NicknamesFor(string userId, string? name)
    {
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(userId)));
        var stem = AsNickname(name);
        if (stem is null) yield return $"user-{hash[..8]}";
        else yield return stem;

        stem ??= "user";
        foreach (var length in (int[])[4, 8, 20])
            yield return $"{stem[..Math.Min(stem.Length, AccountRules.MaxNickname - length - 1)]}-{hash[..length]}";
    }

    private static string? AsNickname(string? name)
    {
        if (name is null) return null;
        var text = new StringBuilder();
        foreach (var accented in name)
        {
            var character = accented is >= '\u00C0' and <= '\u017F' ? PlainLetters[accented - '\u00C0'] : accented;
            if (AccountRules.IsOfNickname(character)) text.Append(character);
            else if (char.IsWhiteSpace(character) && text.Length > 0 && text[^1] != '-') text.Append('-');
            if (text.Length == AccountRules.MaxNickname) break;
        }

        var nickname = text.ToString().Trim('-', '.', '_');
        return AccountRules.Nickname(nickname) is null ? nickname : null;
    }

    private static string CleanName(string? name)
    {
        var clean = string.Concat((name ?? "").Where(character => !char.IsControl(character))).Trim();
        if (clean.Length <= AccountRules.MaxFullName) return clean;
        var length = char.IsHighSurrogate(clean[AccountRules.MaxFullName - 1]) ? AccountRules.MaxFullName - 1 : AccountRules.MaxFullName;
        return clean[..length];
    }

    private static string? CleanUrl(string? url) =>
        url is { Length: <= MaxAvatar } && Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https"
            ? parsed.AbsoluteUri
            : null;

    private static class Sql
    {
        public const string CountOfId = "SELECT COUNT(*) FROM users WHERE id = @Id";

        public const string Insert = """
            INSERT INTO users (id, nickname, nickname_key, full_name, avatar, created_at)
            VALUES (@Id, @Nickname, @NicknameKey, @FullName, @Avatar, @Now)
            ON CONFLICT DO NOTHING
            """;
    }
}
