using Tidings.Realtime.Channels;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Presence;

namespace Tidings.Server.Scaleout.Redis;

/// <summary>Who is in which channel on all nodes, in Redis. Redis's clock alone decides who is dead; each call is one script.</summary>
internal sealed class RedisPresenceStore : IPresenceStore, IAsyncDisposable
{
    private const int MostAtOnce = 500;

    private static readonly RedisScript Put = new(RedisPresenceScripts.Put);
    private static readonly RedisScript Remove = new(RedisPresenceScripts.Remove);
    private static readonly RedisScript Renew = new(RedisPresenceScripts.Renew);
    private static readonly RedisScript List = new(RedisPresenceScripts.List);
    private static readonly RedisScript Find = new(RedisPresenceScripts.Find);
    private static readonly RedisScript TakeExpired = new(RedisPresenceScripts.TakeExpired);

    private readonly RedisLink _link;
    private readonly RedisNames _names;
    private readonly TimeProvider _clock;

    public RedisPresenceStore(RedisInstallation installation, RedisNames names, TimeProvider clock, ILogger<RedisPresenceStore> logger)
    {
        _names = names;
        _clock = clock;
        _link = new RedisLink(installation, static (_, _) => Task.CompletedTask, static _ => { }, static () => { }, clock, logger);
        _link.Start();
    }

    /// <inheritdoc />
    public async ValueTask<PresenceChange> PutAsync(
        ChannelName channel, PresenceMember member, string node, TimeSpan lifetime, CancellationToken cancellationToken) =>
        Change(await RunAsync(Put, cancellationToken, channel.Value, member.UserId, member.Info, node, (long)lifetime.TotalMilliseconds));

    /// <inheritdoc />
    public async ValueTask<PresenceChange> RemoveAsync(ChannelName channel, string userId, string node, CancellationToken cancellationToken) =>
        Change(await RunAsync(Remove, cancellationToken, channel.Value, userId, node));

    /// <inheritdoc />
    public async ValueTask<bool> RenewAsync(string node, TimeSpan lifetime, CancellationToken cancellationToken) =>
        (await RunAsync(Renew, cancellationToken, node, (long)lifetime.TotalMilliseconds)).Number == 1;

    /// <inheritdoc />
    public async ValueTask<PresenceList> ListAsync(ChannelName channel, int limit, CancellationToken cancellationToken)
    {
        var answer = (await RunAsync(List, cancellationToken, channel.Value, limit)).Items;
        var members = new List<PresenceMember>();
        for (var index = 1; index + 1 < answer.Count; index += 2) members.Add(new PresenceMember(answer[index].Text, answer[index + 1].Bytes));
        return new PresenceList(members, (int)answer[0].Number);
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlySet<string>> FindAsync(ChannelName channel, IReadOnlyCollection<string> userIds, CancellationToken cancellationToken)
    {
        var found = new HashSet<string>(StringComparer.Ordinal);
        foreach (var some in userIds.Chunk(MostAtOnce))
            foreach (var user in (await RunAsync(Find, cancellationToken, [channel.Value, .. some])).Items) found.Add(user.Text);
        return found;
    }

    /// <inheritdoc />
    public async ValueTask<IReadOnlyList<ExpiredMember>> TakeExpiredAsync(CancellationToken cancellationToken)
    {
        var expired = new List<ExpiredMember>();
        for (var hasMore = true; hasMore;)
        {
            var answer = (await RunAsync(TakeExpired, cancellationToken, MostAtOnce)).Items;
            hasMore = answer[0].Number == 1;
            for (var index = 1; index + 3 < answer.Count; index += 4)
            {
                if (ChannelName.TryParse(answer[index].Text, out var channel))
                    expired.Add(new ExpiredMember(channel, new PresenceMember(answer[index + 1].Text, answer[index + 2].Bytes), (int)answer[index + 3].Number));
            }
        }

        return expired;
    }

    public ValueTask DisposeAsync() => _link.DisposeAsync();

    private static PresenceChange Change(RespValue answer) => new(answer.Items[0].Number == 1, (int)answer.Items[1].Number);

    private Task<RespValue> RunAsync(RedisScript script, CancellationToken cancellationToken, params RedisArgument[] arguments) =>
        script.RunAsync(_link, _names.Presence, _clock, cancellationToken, arguments);
}
