using System.Diagnostics;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// One author who posts at a fixed rate, whether or not earlier posts were answered. A post is late when all of its connections were busy
/// at its time; lateness is counted, and its clock starts when its bytes are sent.
/// </summary>
internal sealed class PacedPoster : IDisposable
{
    private const int ConnectionCount = 8;

    private readonly Rig _rig;
    private readonly string _token;
    private readonly int _bytes;
    private readonly List<HttpConnection> _connections;
    private readonly List<long> _sentAt = [];
    private Samples _answers = new(0);

    internal PacedPoster(Rig rig, string token, int bytes)
    {
        _rig = rig;
        _token = token;
        _bytes = bytes;
        _connections = [.. Enumerable.Range(0, ConnectionCount).Select(_ => new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered))];
    }

    /// <summary>Posts so far; also the number of the next one.</summary>
    internal int Sent => _sentAt.Count;

    internal int Late { get; private set; }

    internal long SentAt(long number) => _sentAt[(int)number];

    /// <summary>Posts for a while, waits for the last answer, and returns how long each took to be answered.</summary>
    internal Samples Run(int rate, TimeSpan time)
    {
        var total = (int)(rate * time.TotalSeconds);
        var first = Sent;
        var startedAt = Stopwatch.GetTimestamp();
        long Due(int number) => startedAt + ((number - first) * Stopwatch.Frequency / rate);

        _answers = new Samples(total);
        Late = 0;
        _sentAt.EnsureCapacity(first + total);
        _rig.Loop.At(Due(first), Post);
        if (!_rig.Loop.RunUntil(() => _answers.Count == total, time + TimeSpan.FromSeconds(20)))
            throw new BenchException($"Only {_answers.Count} of {total} posts were answered.");
        return _answers;

        void Post()
        {
            if (_connections.Find(connection => !connection.IsBusy) is not { } idle)
            {
                Late++;
                _rig.Loop.At(Clock.After(TimeSpan.FromMilliseconds(1)), Post);
                return;
            }

            var number = Sent;
            var json = $"{{\"content\":\"{Marker.Text(number, _bytes)}\"}}";
            var request = Api.Request(_rig.Server.EndPoint, "POST", "/api/posts", _token, json, $"Idempotency-Key: {Guid.CreateVersion7():D}\r\n");
            _sentAt.Add(Stopwatch.GetTimestamp());
            idle.Send(request, number);
            if (Sent < first + total)
                _rig.Loop.At(Due(Sent), Post);
        }
    }

    public void Dispose() => _connections.ForEach(connection => connection.Dispose());

    private void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        var now = Stopwatch.GetTimestamp();
        if (status != 201)
            throw new BenchException($"A post was answered with {status}: {System.Text.Encoding.UTF8.GetString(body)}");
        _answers.Add(now - connection.SentAt);
    }
}
