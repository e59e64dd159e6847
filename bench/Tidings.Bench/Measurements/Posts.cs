using System.Diagnostics;
using System.Text;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>Durable posts: N connections, each of which posts as soon as its last post was answered, as authors in turn.</summary>
internal sealed class Posts(Options options) : IMeasurement
{
    private const int SampleEvery = 97;
    private const int SamplesRead = 300;

    private readonly int _connectionCount = options.Number("connections", 64, 1, 512);
    private readonly int _authors = options.Number("authors", 1000, 1, 20_000);
    private readonly TimeSpan _time = options.Seconds("seconds", 10, 1, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 3, 0, 60);
    private readonly int _bytes = options.Number("bytes", 200, 16, 5000);
    private readonly bool _keys = options.Switch("keys", true);

    private readonly List<(string Id, long Number)> _sample = [];
    private readonly Dictionary<int, int> _refusals = [];
    private Template[] _templates = [];
    private Samples _latencies = new(0);
    private long _next;
    private long _created;
    private bool _isPosting;
    private bool _isMeasuring;

    public void Run(Rig rig)
    {
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var tokens = Rig.Tokens(_authors);
        foreach (var token in tokens)
            api.Expect(200, "GET", "/api/auth/me", token);
        _templates = [.. tokens.Select(token => new Template(rig, token, _bytes, _keys))];
        _latencies = new Samples((int)(20_000 * _time.TotalSeconds));

        var report = new Report("posts", $"{_connectionCount} connections, {_authors:N0} authors, Idempotency-Key {(_keys ? "on" : "off")}, {_time.TotalSeconds} s");
        Disk.Describe(rig.Server.Directory, report);
        var connections = Enumerable.Range(0, _connectionCount).Select(_ => new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered)).ToList();

        _isPosting = true;
        connections.ForEach(Post);
        rig.Loop.RunFor(_warmUp);
        Rig.CollectGarbage();

        var createdBefore = _created;
        _isMeasuring = true;
        var usage = Usage.Start(rig.Server);
        rig.Loop.RunFor(_time / 4);
        var firstQuarter = _created - createdBefore;
        rig.Loop.RunFor(_time / 2);
        var lastQuarter = -_created;
        rig.Loop.RunFor(_time / 4);
        lastQuarter += _created;
        _isMeasuring = false;
        var created = _created - createdBefore;
        var spent = usage.Stop(report);

        _isPosting = false;
        if (!rig.Loop.RunUntil(() => !connections.Exists(connection => connection.IsBusy), TimeSpan.FromSeconds(20)))
            throw new BenchException("Posts were left without an answer.");
        connections.ForEach(connection => connection.Dispose());

        report.Add("posts created", created, "", "answered with 201 inside the window");
        report.AddAtLeast("posts/s", created / spent.Wall, "", goal: 5000, aim: 8000);
        report.Add("posts/s, first quarter", firstQuarter / (_time.TotalSeconds / 4), "", "if it is well below the last, the server was still compiling: a longer --warmup");
        report.Add("posts/s, last quarter", lastQuarter / (_time.TotalSeconds / 4), "");
        report.Add("posts per CPU-second", created / spent.ServerCpu, "");
        report.AddLatencies("POST", _latencies);
        foreach (var (status, count) in _refusals)
            report.Add($"answers {status}", count, "", "NOT CREATED");
        Verify(api, tokens, report);
        report.Publish();
    }

    private void Post(HttpConnection connection)
    {
        var number = _next++;
        connection.Send(_templates[number % _authors].For(number), number);
    }

    private void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        if (_isMeasuring)
            _latencies.Add(Stopwatch.GetTimestamp() - connection.SentAt);
        if (status == 201)
        {
            _created++;
            if (connection.Request % SampleEvery == 0)
                _sample.Add((IdOf(body), connection.Request));
        }
        else
        {
            _refusals[status] = _refusals.GetValueOrDefault(status) + 1;
        }

        if (_isPosting)
            Post(connection);
    }

    /// <summary>What was answered with 201 must be there, with its own text; a sample over the whole run is read back.</summary>
    private void Verify(Api api, string[] tokens, Report report)
    {
        var step = Math.Max(1, _sample.Count / SamplesRead);
        int read = 0, missing = 0;
        for (var i = 0; i < _sample.Count; i += step, read++)
        {
            var (id, number) = _sample[i];
            var (status, body) = api.Ask("GET", $"/api/posts/{id}", tokens[number % _authors]);
            if (status != 200 || !body.Contains(Marker.Text(number, _bytes), StringComparison.Ordinal))
                missing++;
        }

        report.Add("answered posts read back", read, "", missing == 0 ? "all there" : $"{missing} MISSING");
    }

    private static string IdOf(ReadOnlySpan<byte> body)
    {
        var key = "\"post\":{\"id\":\""u8;
        var start = body.IndexOf(key);
        if (start < 0)
            throw new BenchException($"No id in the answer: {Encoding.UTF8.GetString(body)}");
        var rest = body[(start + key.Length)..];
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
    }

    /// <summary>One author's request, built once; a post puts its number into the text and into the key.</summary>
    private sealed class Template
    {
        private readonly byte[] _request;
        private readonly int _text;
        private readonly int _key = -1;

        internal Template(Rig rig, string token, int bytes, bool keyed)
        {
            var run = Guid.NewGuid().ToString("D")[..24];
            var extra = keyed ? $"Idempotency-Key: {run}0000{new string('0', Marker.Digits)}\r\n" : "";
            _request = Api.Request(rig.Server.EndPoint, "POST", "/api/posts", token, $"{{\"content\":\"{Marker.Text(0, bytes)}\"}}", extra);
            _text = Marker.Find(_request);
            if (keyed)
                _key = _request.AsSpan().IndexOf(Encoding.ASCII.GetBytes(run)) + run.Length + 4;
        }

        internal ReadOnlySpan<byte> For(long number)
        {
            Marker.Write(_request.AsSpan(_text, Marker.Digits), number);
            if (_key >= 0)
                Marker.Write(_request.AsSpan(_key, Marker.Digits), number);
            return _request;
        }
    }
}
