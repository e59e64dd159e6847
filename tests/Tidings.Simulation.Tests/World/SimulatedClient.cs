using Tidings.Realtime.Channels;
using Tidings.Realtime.Commands;
using Tidings.Realtime.Connections;
using Tidings.Realtime.Publications;
using Tidings.Simulation.Tests.Checks;

namespace Tidings.Simulation.Tests.World;

/// <summary>A client as the protocol asks it to be: it remembers its places, comes back after every end and resumes from there.</summary>
internal sealed class SimulatedClient
{
    private readonly SimulatedWorld _world;
    private readonly Dictionary<ChannelName, Reader> _readers;
    private readonly string _name;
    private Connection? _connection;
    private Link? _link;
    private Task _command = Task.CompletedTask;
    private long _commands;

    public SimulatedClient(SimulatedWorld world, int number, string userId, IEnumerable<ChannelName> channels)
    {
        _world = world;
        UserId = userId;
        _name = $"client {number} of {userId}";
        _readers = channels.ToDictionary(
            static channel => channel,
            channel => new Reader(world.Histories, channel, SimulatedWorld.Catalog.RulesOf(channel).IsFeed, (rule, what) => world.Violated(rule, $"{this}, {what}")));
    }

    public string UserId { get; }

    public Link? Link => _link;

    public IEnumerable<Reader> Readers => _readers.Values;

    /// <summary>Does one thing that a client may do now.</summary>
    public void Act()
    {
        if (_link is null)
        {
            Connect();
            return;
        }

        if (!_command.IsCompleted) return;
        var reader = _world.OneOf([.. _readers.Values]);
        switch (_world.Chance(12))
        {
            case 0: Leave(reader); break;
            case 1: Handle(new HistoryCommand(++_commands, reader.Channel, reader.Last, 5)); break;
            case 2: Handle(new PublishCommand(++_commands, reader.Channel, "said", "{}"u8.ToArray())); break;
            case 3: Renew(_link); break;
            case 4: Cut(isNoticed: true); break;
            case 5 when _world.Happens(30): Cut(isNoticed: false); break;
            case 6: _link.IsStalled = true; break;
            case 7: _link.IsStalled = false; break;
            default: Subscribe(reader); break;
        }
    }

    /// <summary>Does what is left to be connected and subscribed to everything.</summary>
    /// <returns>False if nothing was left.</returns>
    public bool Settle()
    {
        if (_link is null) return Connect();
        if (_link.IsStalled) _link.IsStalled = false;
        if (!_command.IsCompleted) return false;
        if (_readers.Values.FirstOrDefault(reader => reader.IsIdle && _world.MaySubscribe(UserId, reader.Channel)) is not { } reader) return false;
        Subscribe(reader);
        return true;
    }

    /// <summary>At the end: everything has come.</summary>
    public void CheckWhole()
    {
        foreach (var reader in _readers.Values)
        {
            if (reader.IsLive) reader.CheckWhole(_connection!.Id);
            else if (_world.MaySubscribe(UserId, reader.Channel)) _world.Violated("I1", $"{this} can't get back into {reader.Channel}");
        }
    }

    /// <summary>Takes what arrived on a link.</summary>
    public void Receive(Link link, object message)
    {
        if (!ReferenceEquals(link, _link)) return;
        _connection!.MarkAlive();
        switch (message)
        {
            case Event happened: Receive(link, happened); break;
            case SubscribedMessage answer: Answered(answer); break;
            case AuthenticatedMessage renewed: link.ExpiresAt = renewed.ExpiresAt; break;
            case UnsubscribedMessage answer: _readers[answer.Channel].End(); break;
            case ErrorMessage refusal: _readers.Values.FirstOrDefault(reader => reader.IsAsking(refusal.Id))?.End(); break;
            case HistoryMessage page: CheckPage(page); break;
            case CloseReason: Forget(); break;
        }
    }

    /// <summary>The connection is gone.</summary>
    public void Forget()
    {
        _link?.Leave();
        _link = null;
        _connection = null;
        _command = Task.CompletedTask;
        foreach (var reader in _readers.Values) reader.End();
    }

    /// <summary>Ends its connection.</summary>
    /// <param name="isNoticed">Whether the server hears of it; otherwise only silence tells.</param>
    public void Cut(bool isNoticed)
    {
        if (_connection is not { } connection) return;
        _world.Steps.Note($"{this} is cut{(isNoticed ? "" : " unnoticed")}");
        if (isNoticed) _world.Steps.Add(_link!.Node, $"the end of {this}'s link is noticed", () => connection.Close(CloseReason.Normal));
        else _link!.IsStalled = true;
        Forget();
    }

    public override string ToString() => _name;

    private bool Connect()
    {
        if (_world.UpNodes is not { Count: > 0 } nodes) return false;
        var node = _world.OneOf(nodes);
        var expiresAt = _world.Happens(30) ? _world.Clock.GetUtcNow() + SimulatedWorld.TokenLifetime : (DateTimeOffset?)null;
        var link = new Link(_world, node, this) { ExpiresAt = expiresAt };
        _world.Steps.Note($"{this} connects to {node}");
        _connection = node.Engine.TryConnect(new ClientIdentity(UserId, expiresAt), _world.Format, link, link, out _);
        if (_connection is not null) _link = link;
        return true;
    }

    private void Subscribe(Reader reader)
    {
        if (!reader.IsIdle) return;
        if (_world.Happens(10)) reader.Last = null;
        else if (_world.Happens(10)) reader.Last = _world.TopOf(reader.Channel) ?? reader.Last; // a page was loaded instead
        reader.Ask(++_commands, reader.Last, _world.Steps.Done);
        Handle(new SubscribeCommand(_commands, reader.Channel, reader.Last, null, null));
    }

    private void Leave(Reader reader)
    {
        if (!reader.IsLive) return;
        reader.Leave();
        Handle(new UnsubscribeCommand(++_commands, reader.Channel));
    }

    private void Renew(Link link)
    {
        link.ExpiresAt = null; // the answer tells when
        Handle(new AuthenticateCommand(++_commands, UserId));
    }

    private void Handle(ClientCommand command)
    {
        _world.Steps.Note($"{this} sends {command.GetType().Name} {(command as SubscribeCommand)?.Channel}");
        _command = _link!.Node.Engine.HandleAsync(_connection!, command, CancellationToken.None).AsTask();
    }

    private void Receive(Link link, Event happened)
    {
        var id = happened.Publication.Draft.Id;
        if (_world.Histories.Find(id) is not { } entry) _world.Violated("I1", $"{this} got {id}, which was never committed");
        else if (entry.CommittedAt > link.EndedAt) _world.Violated("I5", $"{this} got {id}, committed after its access had ended");
        _readers[happened.Channel].Receive(happened.Publication, happened.Position, _connection!.Id);
    }

    private void Answered(SubscribedMessage answer)
    {
        var reader = _readers[answer.Channel];
        if (_world.WasRefusedSince(UserId, answer.Channel, reader.AskedAt)) _world.Violated("I5", $"{this} was let into {answer.Channel}");
        _world.CountAnswer(answer.Recovered);
        reader.Answered(answer.Position, answer.Recovered);
    }

    private void CheckPage(HistoryMessage page)
    {
        var isFeed = SimulatedWorld.Catalog.RulesOf(page.Channel).IsFeed;
        Publication? before = null;
        foreach (var publication in page.Events)
        {
            var (was, now) = isFeed ? (before?.FeedPosition, publication.FeedPosition) : (before?.Position, publication.Position);
            if (was is { } place && (place.Epoch != now.Epoch || place.Offset >= now.Offset)) _world.Violated("I3", $"{this} got a page of {page.Channel} out of order");
            if (_world.Histories.Find(publication.Draft.Id) is null) _world.Violated("I1", $"{this} got a page with what was never committed");
            before = publication;
        }
    }
}
