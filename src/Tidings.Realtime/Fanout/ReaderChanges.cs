using Tidings.Realtime.Channels;

namespace Tidings.Realtime.Fanout;

/// <summary>Which channels have got or lost readers on this node, for those who keep count. Nothing is noted while nobody wants to know.</summary>
internal sealed class ReaderChanges
{
    /// <summary>Told about once a second, by each shard of its own readers' channels. Called on a shard; must neither block nor throw.</summary>
    public event Action<IReadOnlyCollection<ChannelName>>? Told;

    /// <summary>A channel has got or lost a reader. On the reader's shard.</summary>
    public void Note(ChannelName channel, Shard shard)
    {
        if (Told is not null) shard.Changed.Add(channel);
    }

    /// <summary>Tells what has been noted. On the shard.</summary>
    public void TellOf(Shard shard)
    {
        if (shard.Changed.Count == 0) return;
        Told?.Invoke([.. shard.Changed]);
        shard.Changed.Clear();
    }
}
