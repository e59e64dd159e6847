using System.Text.Json;
using System.Text.Json.Serialization;
using Tidings.Realtime.Presence;
using Tidings.Server.ChannelAccess;
using Tidings.Server.Events;
using Tidings.Server.Storage;

namespace Tidings.Server.Engine;

/// <summary>What others see of a user who is present: the name and the picture that every post of theirs shows as well.</summary>
internal sealed class UserInfo : IMemberInfo
{
    private readonly Store _store;
    private readonly BatchLoader<string, MemberInfo> _single;

    public UserInfo(Store store, TimeProvider clock)
    {
        _store = store;
        _single = new BatchLoader<string, MemberInfo>(ids => FindAsync(store, ids), clock);
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlyDictionary<string, MemberInfo>> ReadAsync(IReadOnlyCollection<string> userIds, CancellationToken cancellationToken)
    {
        // The engine collects those who are merely online; those who enter a channel come one by one.
        if (userIds.Count != 1) return await FindAsync(_store, userIds).ConfigureAwait(false);

        var found = new Dictionary<string, MemberInfo>(StringComparer.Ordinal);
        foreach (var id in userIds)
            if (await _single.LoadAsync(id, cancellationToken).ConfigureAwait(false) is { } info) found.Add(id, info);
        return found;
    }

    private static async Task<IReadOnlyDictionary<string, MemberInfo>> FindAsync(Store store, IReadOnlyCollection<string> ids)
    {
        var rows = await store.QueryAsync<Row>(Sql.Users, new { Ids = JsonSerializer.Serialize(ids) }, CancellationToken.None).ConfigureAwait(false);
        return rows.ToDictionary(static row => row.Id, static row => row.Info(), StringComparer.Ordinal);
    }

    /// <summary>What is shown.</summary>
    internal sealed record Shown(string Nickname, string FullName, string? Avatar);

    private sealed record Row
    {
        public string Id { get; init; } = "";
        public string Nickname { get; init; } = "";
        public string? FullName { get; init; }
        public string? Avatar { get; init; }
        public long ShowsOnline { get; init; }

        public MemberInfo Info() =>
            new(JsonSerializer.SerializeToUtf8Bytes(new Shown(Nickname, FullName ?? "", Avatar), UserInfoJson.Relaxed.Shown), ShowsOnline != 0);
    }

    private static class Sql
    {
        public const string Users = """
            SELECT id AS Id, nickname AS Nickname, full_name AS FullName, avatar AS Avatar, show_online AS ShowsOnline
            FROM users
            WHERE id IN (SELECT value FROM json_each(@Ids))
            """;
    }
}

/// <summary>The shape of what is shown.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(UserInfo.Shown))]
internal sealed partial class UserInfoJson : JsonSerializerContext
{
    public static UserInfoJson Relaxed => field ??= new(EventJson.Options(Default.Options));
}
