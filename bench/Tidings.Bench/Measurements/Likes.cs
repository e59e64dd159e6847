using System.Buffers.Text;
using System.Diagnostics;
using System.Text;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// One post that thousands like, and take their likes back: N connections, each of which sends the next user's wish as soon as its last was
/// answered, while readers of the post's channel look on.
/// </summary>
internal sealed class Likes(Options options) : IMeasurement
{
    private static readonly TimeSpan Settling = TimeSpan.FromSeconds(10);

    private readonly int _connectionCount = options.Number("connections", 64, 1, 512);
    private readonly int _users = options.Number("users", 5_000, 600, 20_000);
    private readonly int _readers = options.Number("readers", 20, 1, 2_000);
    private readonly TimeSpan _time = options.Seconds("seconds", 10, 2, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 3, 0, 60);

    private readonly Dictionary<int, int> _refusals = [];
    private bool[] _likes = [];
    private List<long>[] _arrivals = [];
    private long[] _counts = [];
    private long[] _changes = [];
    private byte[][] _like = [];
    private byte[][] _unlike = [];
    private Samples _latencies = new(0);
    private long _next;
    private long _answered;
    private bool _isSending;
    private bool _isMeasuring;

    public void Run(Rig rig)
    {
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var (_, author) = api.Register("benchauthor");
        var post = api.Expect(201, "POST", "/api/posts", author, """{"content":"like me"}""").GetProperty("post").GetProperty("id").GetString()!;
        var tokens = Rig.Tokens(_users);
        Console.WriteLine($"  {_users:N0} users sign in …");
        foreach (var token in tokens)
            api.Expect(200, "GET", "/api/auth/me", token);
        _like = Array.ConvertAll(tokens, token => Api.Request(rig.Server.EndPoint, "POST", $"/api/posts/{post}/like", token, null));
        _unlike = Array.ConvertAll(tokens, token => Api.Request(rig.Server.EndPoint, "DELETE", $"/api/posts/{post}/like", token, null));
        _likes = new bool[_users];
        _arrivals = [.. Enumerable.Range(0, _readers).Select(_ => new List<long>(1_024))];
        (_counts, _changes) = (new long[_readers], new long[_readers]);
        _latencies = new Samples((int)(20_000 * _time.TotalSeconds));

        using var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, new TidingsDialect(number => tokens[number], _ => $"post:{post}"), OnEvent);
        fleet.Open(_readers, TimeSpan.FromSeconds(60));
        var report = new Report("likes", $"one post, {_connectionCount} connections, {_users:N0} users, {_readers:N0} readers, {_time.TotalSeconds} s");
        Disk.Describe(rig.Server.Directory, report);
        var connections = Enumerable.Range(0, _connectionCount).Select(_ => new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered)).ToList();

        _isSending = true;
        connections.ForEach(Send);
        rig.Loop.RunFor(_warmUp);
        Rig.CollectGarbage();
        var before = _answered;
        _isMeasuring = true;
        var usage = Usage.Start(rig.Server);
        rig.Loop.RunFor(_time);
        _isMeasuring = false;
        var changed = _answered - before;
        var spent = usage.Stop(report);
        _isSending = false;
        if (!rig.Loop.RunUntil(() => !connections.Exists(connection => connection.IsBusy), TimeSpan.FromSeconds(20)))
            throw new BenchException("Likes were left without an answer.");

        var expected = _likes.Count(isLiked => isLiked);
        var isSettled = rig.Loop.RunUntil(() => Array.TrueForAll(_changes, changes => changes == _answered), Settling);
        connections.ForEach(connection => connection.Dispose());
        report.AddAtLeast("likes/s", changed / spent.Wall, "", goal: 3_000, aim: 5_000);
        report.Add("likes per CPU-second", changed / spent.ServerCpu, "");
        report.AddLatencies("like", _latencies);
        foreach (var (status, count) in _refusals)
            report.Add($"answers {status}", count, "", "NOT DONE");
        AddReaders(report, expected, isSettled);
        var counted = api.Expect(200, "GET", $"/api/posts/{post}", author).GetProperty("post").GetProperty("metadata").GetProperty("likesCount").GetInt64();
        report.Add("likes counted at the end", counted, "", counted == expected ? "exact" : $"NOT {expected:N0}");
        report.Publish();
    }

    private void AddReaders(Report report, long expected, bool isSettled)
    {
        var busiest = _arrivals.Max(MostInASecond);
        report.Add("events to each reader", _arrivals.Average(arrivals => arrivals.Count), "", "the warm-up's too");
        report.AddBelow("most events to a reader within any second", busiest, "", goal: 12, aim: 11); // ten, and one at each end
        var right = _counts.Count(count => count == expected);
        report.Add("readers whose last event is right", right, "", right == _readers ? "all" : $"OF {_readers:N0}");
        report.Add("changes that the events stand for", _changes.Min(), "", isSettled ? "all, at each reader" : $"OF {_answered:N0}");
    }

    private static int MostInASecond(List<long> arrivals)
    {
        var (most, first) = (0, 0);
        for (var last = 0; last < arrivals.Count; last++)
        {
            while (arrivals[last] - arrivals[first] >= Stopwatch.Frequency) first++;
            most = Math.Max(most, last - first + 1);
        }

        return most;
    }

    /// <summary>Users take turns, and there are more than connections; so nobody has two wishes under way.</summary>
    private void Send(HttpConnection connection)
    {
        var user = (int)(_next++ % _users);
        connection.Send(_likes[user] ? _unlike[user] : _like[user], user);
    }

    private void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        if (_isMeasuring)
            _latencies.Add(Stopwatch.GetTimestamp() - connection.SentAt);
        if (status == 200)
        {
            _answered++;
            _likes[connection.Request] ^= true;
        }
        else
        {
            _refusals[status] = _refusals.GetValueOrDefault(status) + 1;
        }

        if (_isSending)
            Send(connection);
    }

    private void OnEvent(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        if (message.IndexOf("\"post_liked\""u8) < 0 && message.IndexOf("\"post_unliked\""u8) < 0)
            return;
        _arrivals[connection.Number].Add(at);
        _counts[connection.Number] = NumberAfter(message, "\"likesCount\":"u8);
        _changes[connection.Number] += NumberAfter(message, "\"changes\":"u8);
    }

    private static long NumberAfter(ReadOnlySpan<byte> message, ReadOnlySpan<byte> key)
    {
        var start = message.IndexOf(key);
        if (start < 0 || !Utf8Parser.TryParse(message[(start + key.Length)..], out long number, out _))
            throw new BenchException($"Not an event of likes: {Encoding.UTF8.GetString(message)}");
        return number;
    }
}
