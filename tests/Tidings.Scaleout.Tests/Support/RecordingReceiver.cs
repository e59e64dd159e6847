using Tidings.Realtime.Brokers;
using Tidings.Realtime.Channels;
using Tidings.Realtime.Publications;

namespace Tidings.Scaleout.Tests.Support;

/// <summary>Keeps what a broker brings.</summary>
internal sealed class RecordingReceiver : IBusReceiver
{
    private readonly Lock _lock = new();
    private readonly List<string> _own = [];
    private readonly List<string> _others = [];
    private readonly List<ControlMessage> _heard = [];
    private int _cameBack;

    public IReadOnlyList<string> Own => Copy(_own);

    public IReadOnlyList<string> Others => Copy(_others);

    public IReadOnlyList<ControlMessage> Heard => Copy(_heard);

    public int TimesBack => Volatile.Read(ref _cameBack);

    public int? Thread { get; private set; }

    public void Receive(IReadOnlyList<Publication> publications)
    {
        Thread = Environment.CurrentManagedThreadId;
        lock (_lock) _own.AddRange(publications.Select(static publication => publication.Draft.Id));
    }

    public void ReceiveFromOthers(IReadOnlyList<Publication> publications)
    {
        lock (_lock) _others.AddRange(publications.Select(static publication => publication.Draft.Id));
    }

    public void Hear(ControlMessage message)
    {
        lock (_lock) _heard.Add(message);
    }

    public void CameBack() => Interlocked.Increment(ref _cameBack);

    private List<T> Copy<T>(List<T> list)
    {
        lock (_lock) return [.. list];
    }
}
