using System.Diagnostics;
using System.Globalization;
using System.Text;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// The server is killed while posts are being answered, and started again at once with the same data; all clients come back as the client
/// library would, each with its position. A client is back when it is subscribed again and has every post that had been answered.
/// </summary>
internal sealed class Storm(Options options) : IMeasurement, ISubscriber
{
    private const int Publishers = 16;
    private const int ConnectsAtOnce = 32;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);

    private readonly int _count = options.Number("clients", 5000, 1, 15_000);
    private readonly int _authors = options.Number("authors", 50, 1, 1000);
    private readonly int _rate = options.Number("rate", 100, 1, 2000);
    private readonly TimeSpan _time = options.Seconds("seconds", 5, 1, 60);

    private readonly PriorityQueue<StormClient, long> _coming = new();
    private readonly Dictionary<int, WebSocketConnection> _connections = [];
    private readonly List<long> _acknowledged = [];
    private readonly Queue<HttpConnection> _publishers = [];
    private readonly Samples _back = new(16_384);
    private StormClient[] _clients = [];
    private StormDialect _dialect = new([]);
    private Rig? _rig;
    private int _subscribed;
    private long _killedAt;
    private long _sent;
    private int _attempts;
    private int _metricsStatus;
    private string _metrics = "";

    private Rig Rig => _rig!;

    public void Run(Rig rig)
    {
        _rig = rig;
        var tokens = Rig.Tokens(Math.Max(_count, _authors));
        var orders = Enumerable.Range(0, _authors).Select(_ => new ChannelOrder(0)).ToArray();
        _clients = [.. Enumerable.Range(0, _count).Select(number => new StormClient(number, tokens[number], $"creator:{Rig.User(number % _authors)}", orders[number % _authors]))];
        _dialect = new StormDialect(_clients);
        using (var api = new Api(rig.Loop, rig.Server.EndPoint))
        {
            for (var author = 0; author < _authors; author++)
                api.Expect(200, "GET", "/api/auth/me", tokens[author]);
        }

        foreach (var client in _clients)
            _coming.Enqueue(client, 0);
        if (!rig.Loop.RunUntil(() => Connect() && _subscribed == _count, Limit))
            throw new BenchException($"Only {_subscribed} of {_count} clients were subscribed.");
        var startStatements = Statements();

        Publish(tokens, _time, mayBreak: true);
        var connected = _connections.Values.ToList();
        var inMidPost = Publishers - _publishers.Count;
        _killedAt = Stopwatch.GetTimestamp();
        foreach (var client in _clients)
            client.Missing.UnionWith(_acknowledged.Where(post => post % _authors == client.Number % _authors).Except(client.Received));
        var missing = _clients.Sum(client => client.Missing.Count);
        rig.Server.CrashAndStartAgain();
        var allBack = rig.Loop.RunUntil(() => Connect() && _back.Count == _count, Limit);

        var report = new Report("storm", $"{_count:N0} clients of {_authors} creators, {_rate} posts/s, kill -9, start again with the same data");
        report.Add("posts answered before", _acknowledged.Count, "", $"{inMidPost} were under way");
        report.Add("deliveries of them outstanding", missing, "");
        report.Add("clients back and recovered", _back.Count, "", allBack ? "all" : $"OF {_count:N0}");
        report.AddBelow("kill to 99 % back", _back.Count >= 0.99 * _count ? _back.Percentile(99.0 * _count / _back.Count) / 1000 : double.NaN, "s", goal: 15);
        report.Add("kill to the first back", _back.Percentile(0) / 1000, "s", "how long the server took to start");
        report.Add("kill to the last back", _back.Percentile(100) / 1000, "s");
        report.Add("connection attempts a client", (double)_attempts / _count, "");
        report.Add("told that they did not recover", _clients.Count(client => client.Recovered == false), "");
        if (Statements() is { } statements)
            report.AddBelow("database statements a reconnect", statements / _count, "", goal: 0.05);

        // Whoever is back must also hear what comes now.
        var before = _acknowledged.Count;
        Publish(tokens, TimeSpan.FromSeconds(Math.Max(1.0, (double)_authors / _rate)), mayBreak: false);
        var due = _acknowledged.CountBy(post => (int)(post % _authors)).ToDictionary();
        rig.Loop.RunUntil(() => Connect() && _clients.All(client => client.Received.Count >= due.GetValueOrDefault(client.Number % _authors)), TimeSpan.FromSeconds(10));
        report.Add("posts answered after", _acknowledged.Count - before, "");
        var lost = _acknowledged.GroupBy(post => post % _authors).Sum(posts => _clients.Where(client => client.Number % _authors == posts.Key).Sum(client => (long)posts.Except(client.Received).Count()));
        report.Add("deliveries lost", lost, "", lost == 0 ? "every client has every answered post" : "A FAULT");
        report.Add("repeated or out of order", orders.Sum(order => order.Faults), "");
        report.Publish();
        Console.WriteLine($"  (database statements before the storm: {startStatements?.ToString("N0", CultureInfo.InvariantCulture) ?? "not counted by this server"})");
        foreach (var connection in _connections.Values)
            connection.Dispose();
    }

    public void OnSubscribed(WebSocketConnection connection)
    {
        _subscribed++;
        CheckBack(_clients[connection.Number]);
    }

    public void OnMessage(WebSocketConnection connection, ReadOnlySpan<byte> message, long at)
    {
        var client = _clients[connection.Number];
        client.OnEvent(message);
        CheckBack(client);
    }

    public void OnClosed(WebSocketConnection connection, string why)
    {
        var client = _clients[connection.Number];
        if (_killedAt == 0)
            throw new BenchException($"Client {client.Number} was disconnected: {why}.");
        if (client.IsSubscribed)
            _subscribed--;
        client.IsSubscribed = false;
        _connections.Remove(client.Number);
        ComeLater(client);
    }

    private void CheckBack(StormClient client)
    {
        if (_killedAt == 0 || client.BackAt != 0 || !client.IsSubscribed || client.Recovered != true || client.Missing.Count > 0)
            return;
        client.BackAt = Stopwatch.GetTimestamp();
        _back.Add(client.BackAt - _killedAt);
    }

    private void ComeLater(StormClient client) => _coming.Enqueue(client, Clock.After(client.NextDelay()));

    /// <summary>Lets those come whose time it is, a few at once so that sockets are read in between. Always true.</summary>
    private bool Connect()
    {
        var now = Stopwatch.GetTimestamp();
        for (var i = 0; i < ConnectsAtOnce && _coming.TryPeek(out var client, out var due) && due <= now; i++)
        {
            _coming.Dequeue();
            _attempts += _killedAt == 0 ? 0 : 1;
            try
            {
                _connections[client.Number] = new WebSocketConnection(Rig.Loop, Rig.Server.EndPoint, client.Number, _dialect, this);
            }
            catch (ConnectException)
            {
                ComeLater(client);
            }
        }

        if (_coming.TryPeek(out _, out var next))
            Rig.Loop.At(next, static () => { });
        return true;
    }

    /// <summary>Posts of all authors in turn at the rate, each author's from its own account.</summary>
    private void Publish(string[] tokens, TimeSpan time, bool mayBreak)
    {
        _publishers.Clear();
        for (var i = 0; i < Publishers; i++)
            _publishers.Enqueue(new HttpConnection(Rig.Loop, Rig.Server.EndPoint, OnPosted, mayBreak));
        var startedAt = Stopwatch.GetTimestamp();
        var first = _sent;
        var total = (long)(_rate * time.TotalSeconds);
        Rig.Loop.RunUntil(
            () =>
            {
                while (_sent < first + total && Stopwatch.GetTimestamp() >= startedAt + ((_sent - first) * Stopwatch.Frequency / _rate) && _publishers.TryDequeue(out var publisher))
                {
                    var number = _sent++;
                    publisher.Send(
                        Api.Request(Rig.Server.EndPoint, "POST", "/api/posts", tokens[number % _authors], $"{{\"content\":\"{Marker.Text(number, 200)}\"}}"), number);
                }

                Rig.Loop.At(startedAt + ((_sent - first + 1) * Stopwatch.Frequency / _rate), static () => { });
                return mayBreak ? _sent == first + total : _publishers.Count == Publishers && _sent == first + total;
            },
            time + TimeSpan.FromSeconds(20));
        Rig.Loop.CancelTimer();
    }

    private void OnPosted(HttpConnection connection, int status, ReadOnlySpan<byte> body)
    {
        if (status != 201)
            throw new BenchException($"A post was answered with {status}: {Encoding.UTF8.GetString(body)}");
        _acknowledged.Add(connection.Request);
        _publishers.Enqueue(connection);
    }

    /// <summary>What the server counted since its start; null if it does not count.</summary>
    private double? Statements()
    {
        using var api = new Api(Rig.Loop, Rig.Server.EndPoint);
        (_metricsStatus, _metrics) = api.Ask("GET", "/metrics", ServerSettings.AppSecret);
        return _metricsStatus == 200 && _metrics.Contains("tidings_database_statements_total", StringComparison.Ordinal) ? MetricsText.Sum(_metrics, "tidings_database_statements_total") : null;
    }
}
