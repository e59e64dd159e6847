using Microsoft.Data.Sqlite;
using SQLitePCL;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Server.Storage.Sqlite;

/// <summary>A place that should be free is taken: the log is not what the writer remembers.</summary>
internal sealed class LogOutOfStepException(Exception inner) : Exception("The event log is not as it was left.", inner);

/// <summary>
/// Gives out places in the log and writes its rows: the only code that does. Belongs to the writer's thread. Offsets and the sequence
/// are counted in memory and follow the transaction: <see cref="UndoUnit"/> with a savepoint, <see cref="Discard"/> with the whole.
/// </summary>
internal sealed class LogAppender
{
    private const string InsertEvent =
        "INSERT INTO events (seq, channel_id, offset, created_at, id, type, payload, full_payload, full_needs, effect, effect_target, excluded_connection) "
        + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)";

    private readonly StatementCache _database;
    private readonly LogPositions _positions;
    private readonly ChannelOffsets _channels = new();
    private readonly List<ChannelState> _touched = [];
    private readonly List<(ChannelState State, long Offset, long Sequence)> _undo = [];
    private readonly List<ChannelName> _created = [];
    private int _touchedBefore;
    private long _sequence;
    private long _sequenceBefore;
    private long _committed;

    public LogAppender(StatementCache database, LogPositions positions)
    {
        _database = database;
        _positions = positions;
        _committed = _sequence = ReadLastSequence(database);
    }

    /// <summary>The place of the newest event. Trimming may have taken it, but a channel remembers what it has given out.</summary>
    public static long ReadLastSequence(StatementCache database) => database.Get(
        "SELECT max(coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(last_seq) FROM channels), 0))").ReadSingle<long>();

    /// <summary>The place of the newest event on disk. Any thread may ask.</summary>
    public long CommittedSequence => Volatile.Read(ref _committed);

    /// <summary>From here on, <see cref="UndoUnit"/> takes back.</summary>
    public void BeginUnit()
    {
        _undo.Clear();
        _created.Clear();
        _touchedBefore = _touched.Count;
        _sequenceBefore = _sequence;
    }

    /// <summary>Appends a unit's publications, sorted by channel, and adds them to the group's.</summary>
    /// <returns>The unit's own, in the order of the log.</returns>
    public IReadOnlyList<Publication> Append(List<PublicationDraft>? drafts, List<Publication> group)
    {
        if (drafts is null) return [];
        if (drafts.Count == 1)
        {
            var only = AppendOne(drafts[0]);
            group.Add(only);
            return [only];
        }

        var appended = new List<Publication>(drafts.Count);
        foreach (var draft in drafts.OrderBy(draft => draft.Channel.Value, StringComparer.Ordinal)) appended.Add(AppendOne(draft)); // a stable sort
        group.AddRange(appended);
        return appended;
    }

    /// <summary>Takes back what the current unit appended; its savepoint has been rolled back.</summary>
    public void UndoUnit()
    {
        for (var index = _undo.Count - 1; index >= 0; index--)
            (_undo[index].State.LastOffset, _undo[index].State.LastSequence) = (_undo[index].Offset, _undo[index].Sequence);
        for (var index = _touchedBefore; index < _touched.Count; index++) _touched[index].IsTouched = false;
        _touched.RemoveRange(_touchedBefore, _touched.Count - _touchedBefore);
        foreach (var channel in _created) _channels.Forget(channel);
        _sequence = _sequenceBefore;
        BeginUnit();
    }

    /// <summary>Writes each touched channel's row, once for the whole group.</summary>
    public void WriteChannels()
    {
        if (_touched.Count == 0) return;
        var update = _database.Get("UPDATE channels SET last_offset = ?1, last_seq = ?2 WHERE id = ?3");
        foreach (var channel in _touched) update.Bind(1, channel.LastOffset).Bind(2, channel.LastSequence).Bind(3, channel.Id).Run();
    }

    /// <summary>The transaction is on disk.</summary>
    public void Keep()
    {
        foreach (var channel in _touched) channel.IsTouched = false;
        _touched.Clear();
        _channels.Trim();
        Volatile.Write(ref _committed, _sequence);
    }

    /// <summary>The transaction was rolled back: everything is read again when it is needed.</summary>
    public void Discard()
    {
        _touched.Clear();
        _channels.ForgetAll();
        _sequence = _committed;
        BeginUnit();
    }

    /// <summary>Reads from the database what was thought to be known: another program may have written to the log.</summary>
    public void Reread()
    {
        Discard();
        _sequence = ReadLastSequence(_database);
        Volatile.Write(ref _committed, _sequence);
    }

    private Publication AppendOne(PublicationDraft draft)
    {
        var channel = StateOf(draft.Channel);
        _undo.Add((channel, channel.LastOffset, channel.LastSequence));
        if (!channel.IsTouched)
        {
            channel.IsTouched = true;
            _touched.Add(channel);
        }

        channel.LastOffset++;
        channel.LastSequence = ++_sequence;
        try
        {
            StatementEvents.Write(_database.Get(InsertEvent), channel, draft).Run();
        }
        catch (SqliteException error) when (error.SqliteExtendedErrorCode is raw.SQLITE_CONSTRAINT_PRIMARYKEY or raw.SQLITE_CONSTRAINT_UNIQUE or raw.SQLITE_CONSTRAINT_ROWID)
        {
            throw new LogOutOfStepException(error);
        }

        return new Publication(draft, new Position(channel.Epoch, channel.LastOffset), _positions.InLog(channel.LastSequence));
    }

    private ChannelState StateOf(ChannelName name)
    {
        if (_channels.TryGet(name, out var known)) return known;

        var state = Read(name);
        if (state is null)
        {
            var epoch = _positions.FirstEpochOf(name);
            var id = _database.Get("INSERT INTO channels (name, epoch, last_offset, last_seq) VALUES (?1, ?2, 0, 0) RETURNING id").Bind(1, name.Value).Bind(2, epoch).ReadSingle<long>();
            state = new ChannelState(id, _positions.EpochOf(epoch));
            _created.Add(name);
        }

        _channels.Add(name, state);
        return state;
    }

    private ChannelState? Read(ChannelName name)
    {
        var select = _database.Get("SELECT id, epoch, last_offset, last_seq FROM channels WHERE name = ?1").Bind(1, name.Value);
        try
        {
            return select.Step()
                ? new ChannelState(select.ReadInt64(0), _positions.EpochOf(select.ReadInt64(1))) { LastOffset = select.ReadInt64(2), LastSequence = select.ReadInt64(3) }
                : null;
        }
        finally
        {
            select.Reset();
        }
    }
}
