using System.Text;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;

namespace Tidings.Realtime.Tests;

/// <summary>A client on a wire format of plain lines, so that a test reads what was sent and in which order.</summary>
internal sealed class TestClient
{
    private readonly EngineHost _host;

    public TestClient(EngineHost host, string? userId, TestTransport? transport, DateTimeOffset? issuedAt = null, IWireFormat? format = null)
    {
        _host = host;
        Transport = transport ?? new TestTransport();
        Connection = host.Engine.TryConnect(new ClientIdentity(userId, null) { IssuedAt = issuedAt }, format ?? LineFormat.Instance, Transport, null, out var refusal)!;
        Refusal = refusal;
    }

    public TestTransport Transport { get; }

    public Connection Connection { get; }

    public CloseReason? Refusal { get; }

    /// <summary>The ids of the events that arrived on a channel, in order.</summary>
    public IReadOnlyList<string> EventsOf(string channel) =>
        [.. Transport.Lines.Where(line => line.StartsWith($"event {channel} ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];

    public async Task SubscribeAsync(string channel, Position? since = null, bool? presence = null)
    {
        var answers = AnswersOn(channel);
        await _host.Engine.HandleAsync(Connection, new SubscribeCommand(1, EngineHost.Name(channel), since, presence, null), CancellationToken.None);
        await Transport.WaitAsync(_ => AnswersOn(channel) > answers, $"an answer on {channel}");
    }

    /// <summary>The link breaks without a goodbye.</summary>
    public async Task VanishAsync(CloseReason? reason = null)
    {
        Connection.Close(reason ?? CloseReason.Lost);
        await Connection.Completion;
    }

    public Task HandleAsync(ClientCommand command) => _host.Engine.HandleAsync(Connection, command, CancellationToken.None).AsTask();

    public Task AskWhoAsync(string channel) => HandleAsync(new PresenceCommand(9, EngineHost.Name(channel)));

    public async Task LeaveAsync()
    {
        Connection.Close(CloseReason.Normal);
        await Connection.Completion;
    }

    public Task SeesAsync(string line) => Transport.WaitAsync(lines => lines.Contains(line), $"'{line}'");

    public Task SeesEventsAsync(string channel, params string[] ids) =>
        Transport.WaitAsync(_ => EventsOf(channel).SequenceEqual(ids), $"on {channel}: {string.Join(", ", ids)}");

    private int AnswersOn(string channel) =>
        Transport.Lines.Count(line => line.Split(' ') is ["subscribed" or "error", ..] words && words.Contains(channel));

    /// <summary>The position in the last answer about a channel.</summary>
    public Position PositionOf(string channel)
    {
        var line = Transport.Lines.Last(line => line.StartsWith($"subscribed {channel} ", StringComparison.Ordinal) || line.StartsWith($"event {channel} ", StringComparison.Ordinal));
        Position.TryParse(line.Split(' ')[3], out var position).ShouldBeTrue();
        return position;
    }
}

/// <summary>Keeps what is written; a test may hold writes up.</summary>
internal sealed class TestTransport : ITransport
{
    private readonly Lock _lock = new();
    private readonly List<string> _lines = [];
    private readonly List<(Func<IReadOnlyList<string>, bool> Condition, TaskCompletionSource Met)> _waiting = [];

    public Task Gate { get; set; } = Task.CompletedTask;

    /// <summary>Called with each line that is written.</summary>
    public Action<string>? Wrote { get; set; }

    public CloseReason? Closed { get; private set; }

    public bool ClosedWritable { get; private set; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lock) return [.. _lines];
        }
    }

    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        var lines = pieces.Select(piece => Encoding.UTF8.GetString(piece.Span)).ToList();
        await Gate;
        lock (_lock)
        {
            _lines.AddRange(lines);
            foreach (var (condition, met) in _waiting)
                if (condition(_lines)) met.TrySetResult();
        }

        if (Wrote is { } wrote) lines.ForEach(wrote);
    }

    public ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        (Closed, ClosedWritable) = (reason, writable);
        return ValueTask.CompletedTask;
    }

    public async Task WaitAsync(Func<IReadOnlyList<string>, bool> condition, string what)
    {
        var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_lock)
        {
            if (condition(_lines)) return;
            _waiting.Add((condition, met));
        }

        try
        {
            await met.Task.WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"Waited for {what}, but saw:\n{string.Join('\n', Lines)}");
        }
    }
}

internal sealed class LineFormat(bool tellsNoPlace) : IWireFormat
{
    public static LineFormat Instance { get; } = new(false);

    /// <summary>That of a protocol whose clients can't say what they saw last.</summary>
    public static LineFormat WithoutPlaces { get; } = new(true);

    public bool TellsNoPlace => tellsNoPlace;

    public int Slot => 0;

    public string Name => "lines";

    public ReadOnlyMemory<byte> Heartbeat { get; } = "ping"u8.ToArray();

    public bool ExpectsAnswer => true;

    public EncodedPush EncodePush(Publication publication, PublicationForm form) =>
        new Text($"{(publication.Position.Exists || publication.Draft.Type == "said" ? publication.Draft.Id : publication.Draft.Type)} {{0}} {Encoding.UTF8.GetString(publication.PayloadOf(form).Span)}");

    public void WritePush(Connection connection, Subscription subscription, Publication publication, EncodedPush push)
    {
        var text = ((Text)push).Value.Replace(
            "{0}", publication.Position.Exists || subscription.IsFeed ? subscription.Position.ToString() : "", StringComparison.Ordinal);
        connection.Queue(Encoding.UTF8.GetBytes($"event {subscription.Channel} {text}"));
    }

    public void WriteMessage(Connection connection, ServerMessage message) => connection.Queue(Encoding.UTF8.GetBytes(message switch
    {
        ConnectedMessage m => $"connected {m.UserId}",
        SubscribedMessage m => $"subscribed {m.Channel} {(m.Recovered is { } r ? r ? "recovered" : "lost" : "live")} {m.Position}",
        UnsubscribedMessage m => $"unsubscribed {m.Channel} {m.Reason}",
        ErrorMessage m => $"error {m.Code} {m.Channel}",
        PresenceMessage m => $"presence {m.Channel} {m.Count}: {string.Join(',', m.Members.Select(member => member.UserId).Order())}",
        HistoryMessage m => $"history {string.Join(',', m.Events.Select(e => e.Draft.Id))} {m.Recovered} {m.Position}",
        _ => message.GetType().Name,
    }));

    private sealed class Text(string value) : EncodedPush
    {
        public string Value => value;
    }
}
