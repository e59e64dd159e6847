using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Simulation.Tests.Checks;

/// <summary>
/// One client's view of one channel, over all its connections, held against what really happened: no hole, no repeat, one order, and
/// "recovered" only when it is whole.
/// </summary>
internal sealed class Reader(Histories histories, ChannelName channel, bool isFeed, Action<string, string> violated)
{
    private Position _seen;
    private State _state;
    private Position? _since;
    private long _request;

    private enum State
    {
        Idle,
        Asked,
        Live,
        Leaving,
    }

    public ChannelName Channel => channel;

    /// <summary>The place it comes back with; null if it has none.</summary>
    public Position? Last { get; set; }

    public bool IsIdle => _state == State.Idle;

    public bool IsLive => _state == State.Live;

    /// <summary>The step at which it asked.</summary>
    public int AskedAt { get; private set; }

    public void Ask(long request, Position? since, int step) => (_state, _request, _since, AskedAt) = (State.Asked, request, since, step);

    /// <summary>Whether it waits for the answer to this.</summary>
    public bool IsAsking(long? request) => _state == State.Asked && _request == request;

    public void Leave() => _state = State.Leaving;

    /// <summary>The connection or the subscription is over.</summary>
    public void End() => _state = State.Idle;

    public void Answered(Position top, bool? isRecovered)
    {
        if (_state != State.Asked) violated("I4", $"{channel} was answered without a question");
        if (isRecovered is null != _since is null) violated("I2", $"{channel}: asked from {Text(_since)}, answered {isRecovered}");
        if (isRecovered == true && top.Epoch != _since!.Value.Epoch) violated("I2", $"{channel}: recovered from {Text(_since)} to {Text(top)}, another epoch");

        _state = State.Live;
        _seen = isRecovered == true ? _since!.Value : top;
        Last = _seen.Exists ? _seen : null;
        if (top.Exists && top.Offset > Entries.Count) violated("I2", $"{channel} stands at {Text(top)}, beyond the log's {Entries.Count}");
    }

    public void Receive(Publication publication, Position position, string connectionId)
    {
        var what = $"{channel}: {publication.Draft.Id} at {Text(position)} after {Text(_seen)}";
        if (_state is not (State.Live or State.Leaving))
        {
            violated("I4", $"{what}, in state {_state}");
            return;
        }

        if (!position.Exists) return; // a passing event

        if (position.Epoch != _seen.Epoch)
        {
            violated("I2", $"{what}, another epoch");
        }
        else if (position.Offset <= _seen.Offset)
        {
            violated("I4", $"{what}, a second time or late");
        }
        else if (position.Offset > Entries.Count || Entries[(int)position.Offset - 1].Publication.Draft.Id != publication.Draft.Id)
        {
            violated("I3", $"{what}, but history has something else there");
        }
        else if (isFeed && !histories.MayBelong(channel, publication))
        {
            violated("I5", $"{what} does not belong in the feed");
        }
        else if (FirstMissed(position.Offset - 1, connectionId) is { } missed)
        {
            violated("I2", $"{what}, without {missed.Publication.Draft.Id} at {Place(missed)}");
        }

        _seen = position;
        Last = position;
    }

    /// <summary>At the end, when everything has come to rest: a reader that is live has everything.</summary>
    public void CheckWhole(string connectionId)
    {
        if (_seen.Exists && FirstMissed(Entries.Count, connectionId) is { } missed)
            violated("I1", $"{channel}: at rest after {Text(_seen)}, without {missed.Publication.Draft.Id} at {Place(missed)}");
    }

    private List<Entry> Entries => isFeed ? histories.All : histories.Of(channel, _seen.Epoch);

    private Entry? FirstMissed(long through, string connectionId)
    {
        for (var index = _seen.Offset; index < Math.Min(through, Entries.Count); index++)
        {
            var entry = Entries[(int)index];
            var isOptional = entry.IsPoison || entry.Publication.Draft.ExcludedConnectionId == connectionId;
            if (!isOptional && (!isFeed || histories.Belongs(channel, entry.Publication))) return entry;
        }

        return null;
    }

    private long Place(Entry entry) => isFeed ? entry.Publication.Sequence : entry.Publication.Position.Offset;

    private static string Text(Position? position) => position is { Exists: true } place ? $"{place.Epoch % 1000}/{place.Offset}" : "nowhere";
}
