using Tidings.Realtime.Fanout;

namespace Tidings.Realtime.Connections;

/// <summary>The subscriptions of one shard that were granted for a time. Shard only.</summary>
internal sealed class ExpiringSubscriptions
{
    /// <summary>What a client is told when the token of a subscription is over.</summary>
    private const string Reason = "token_expired";

    private readonly List<(Subscription Subscription, DateTimeOffset ExpiresAt)> _entries = [];

    /// <summary>Notes when a subscription ends.</summary>
    public void Add(Subscription subscription, DateTimeOffset expiresAt) => _entries.Add((subscription, expiresAt));

    /// <summary>Ends those whose time is over, and forgets those that ended by themselves. About once a second.</summary>
    public void EndThrough(DateTimeOffset time, Shard shard)
    {
        for (var index = _entries.Count - 1; index >= 0; index--)
        {
            var (subscription, expiresAt) = _entries[index];
            if (!subscription.HasEnded)
            {
                if (expiresAt > time) continue;
                shard.EndSubscription(subscription);
                subscription.Connection.Write(new UnsubscribedMessage(null, subscription.Channel, Reason));
            }

            _entries[index] = _entries[^1];
            _entries.RemoveAt(_entries.Count - 1);
        }
    }
}
