using System.Collections.Concurrent;
using System.Text;
using Tidings.Realtime.Presence;

namespace Tidings.Realtime.Tests;

/// <summary>Users whose info is their name. A test may hide some, hold the answers up or let them fail.</summary>
internal sealed class TestInfos : IMemberInfo
{
    public ConcurrentDictionary<string, bool> Hidden { get; } = new();

    public Task Gate { get; set; } = Task.CompletedTask;

    public bool IsBroken { get; set; }

    public int Reads;

    public async ValueTask<IReadOnlyDictionary<string, MemberInfo>> ReadAsync(IReadOnlyCollection<string> userIds, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref Reads);
        await Gate;
        if (IsBroken) throw new IOException("The database is out of reach.");
        return userIds.ToDictionary(id => id, id => new MemberInfo(Encoding.UTF8.GetBytes($"{{\"name\":\"{id}\"}}"), !Hidden.ContainsKey(id)));
    }
}
