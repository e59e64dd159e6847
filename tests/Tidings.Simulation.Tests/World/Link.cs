using System.Buffers.Binary;
using Tidings.Realtime.Connections;

namespace Tidings.Simulation.Tests.World;

/// <summary>The wire between one connection and its client. It can stall, be cut, or be cut with nobody noticing.</summary>
internal sealed class Link(SimulatedWorld world, Node node, SimulatedClient client) : ITransport
{
    private readonly Queue<object> _underway = new();
    private TaskCompletionSource? _held;
    private bool _isStalled;
    private bool _isEnded;

    public Node Node => node;

    public SimulatedClient Client => client;

    /// <summary>The step at which its right to be there ended; nothing that was committed later may come.</summary>
    public int EndedAt { get; set; } = int.MaxValue;

    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>Whether the client has left it.</summary>
    public bool IsLeft { get; private set; }

    /// <summary>Whether writes wait: the client does not read, or is gone and nobody has noticed.</summary>
    public bool IsStalled
    {
        get => _isStalled;
        set
        {
            _isStalled = value;
            if (!value) Interlocked.Exchange(ref _held, null)?.TrySetResult();
        }
    }

    public async ValueTask WriteAsync(IReadOnlyList<ReadOnlyMemory<byte>> pieces, CancellationToken cancellationToken)
    {
        if (_isEnded) throw new SimulatedFaultException("The link was ended.");
        if (node.IsDead) await new TaskCompletionSource().Task;
        if (pieces.Sum(static piece => piece.Length) > SimulatedWorld.Options.OutboundBytes)
            world.Violated("I9", $"{pieces.Sum(static piece => piece.Length)} bytes were waiting for {client}");
        // While there is trouble, time may pass without the engine getting to run.
        if (world.IsSteady && ExpiresAt + SimulatedWorld.Options.ExpiryGrace + SimulatedWorld.ExpiryDelay < world.Clock.GetUtcNow())
            world.Violated("I5", $"{client} is written to although its token has expired");

        var messages = pieces.Select(piece => world.Format.MessageOf(piece)).ToList();
        if (IsStalled) await (_held = new TaskCompletionSource()).Task;
        else if (world.Happens(50)) await world.Steps.LaterAsync(node, $"{node} has written to {client}");
        if (IsLeft) throw new SimulatedFaultException("The peer is gone.");
        foreach (var message in messages) Arrive(message);
    }

    public ValueTask CloseAsync(CloseReason reason, bool writable)
    {
        _isEnded = true;
        Interlocked.Exchange(ref _held, null)?.TrySetException(new SimulatedFaultException("The link was ended."));
        if (!node.IsDead && !IsLeft) Arrive(reason);
        return ValueTask.CompletedTask;
    }

    /// <summary>The client is gone; what was under way is lost.</summary>
    public void Leave()
    {
        IsLeft = true;
        world.Steps.Drop(this);
        if (!IsStalled) Interlocked.Exchange(ref _held, null)?.TrySetResult();
    }

    private void Arrive(object message)
    {
        _underway.Enqueue(message);
        world.Steps.Add(this, $"{client} receives", () => client.Receive(this, _underway.Dequeue()));
    }
}

/// <summary>Messages as bytes: a number under which the simulation keeps what was said, and as many bytes more as it would take.</summary>
internal sealed class SimulatedFormat(SimulatedWorld world) : IWireFormat
{
    private const int SmallMessage = 32;

    private readonly List<object> _messages = [];

    public int Slot => 0;

    public string Name => "simulated";

    public ReadOnlyMemory<byte> Heartbeat { get; } = new byte[1];

    public bool ExpectsAnswer => true;

    public EncodedPush EncodePush(Realtime.Publications.Publication publication, Realtime.Publications.PublicationForm form) => new Push(form);

    public void WritePush(Connection connection, Subscription subscription, Realtime.Publications.Publication publication, EncodedPush push)
    {
        var form = ((Push)push).Form;
        var link = (Link)connection.ProtocolState!;
        if (form != FormDue(link, publication)) world.Violated("I6", $"{link.Client} gets {publication.Draft.Id} in its {form} form");
        connection.Queue(Bytes(new Event(subscription.Channel, subscription.Position, publication, form), SmallMessage + publication.PayloadOf(form).Length));
    }

    public void WriteMessage(Connection connection, ServerMessage message) => connection.Queue(Bytes(message, SmallMessage));

    public object MessageOf(ReadOnlyMemory<byte> bytes) => bytes.Length == 1 ? "heartbeat" : _messages[BinaryPrimitives.ReadInt32LittleEndian(bytes.Span)];

    private Realtime.Publications.PublicationForm FormDue(Link link, Realtime.Publications.Publication publication) =>
        publication.Draft.FullNeeds is { } need && world.Holds(link.Client.UserId, need)
            ? Realtime.Publications.PublicationForm.Full
            : Realtime.Publications.PublicationForm.Open;

    private byte[] Bytes(object message, int length)
    {
        var bytes = new byte[length];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, _messages.Count);
        _messages.Add(message);
        return bytes;
    }

    private sealed class Push(Realtime.Publications.PublicationForm form) : EncodedPush
    {
        public Realtime.Publications.PublicationForm Form => form;
    }
}

/// <summary>An event as it came to a client.</summary>
internal sealed record Event(
    Realtime.Channels.ChannelName Channel,
    Realtime.Publications.Position Position,
    Realtime.Publications.Publication Publication,
    Realtime.Publications.PublicationForm Form);
