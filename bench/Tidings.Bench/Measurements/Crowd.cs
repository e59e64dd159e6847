using System.Diagnostics;
using Microsoft.Data.Sqlite;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// A creator whom a million follow, of whom some thousands are online, posts now and then while others post as fast as they are answered; and feeds of
/// readers who follow many creators are read out of millions of posts. The rows are written into the SQLite file beside the idle server.
/// </summary>
internal sealed class Crowd(Options options) : IMeasurement
{
    private const int Creators = 10_000;
    private const int Marked = 200;

    private readonly int _followers = options.Number("followers", 1_000_000, 1_000, 5_000_000);
    private readonly int _online = options.Number("online", 2_000, 1, 20_000);
    private readonly int _posts = options.Number("posts", 2_000_000, 10_000, 20_000_000);
    private readonly int _followed = options.Number("followed", 200, 1, 2_000);
    private readonly int _others = options.Number("others", 4, 1, 64);
    private readonly int _famous = options.Number("famous-posts", 10, 1, 100);
    private readonly TimeSpan _apart = options.Seconds("apart", 3, 1, 60);
    private readonly int _pages = options.Number("pages", 500, 50, 10_000);

    private long _sentAt; // when the latest post of the one whom all follow was sent

    public void Run(Rig rig)
    {
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var (authorId, author) = api.Register("benchauthor");
        var (readerId, reader) = api.Register("benchreader");
        var tokens = Rig.Tokens(_online + _others);
        Console.WriteLine($"  {_followers:N0} followers and {_posts:N0} posts are written …");
        Seed(Path.Combine(rig.Server.Directory, "data", "tidings.db"), authorId, readerId);
        foreach (var token in tokens)
            api.Expect(200, "GET", "/api/auth/me", token);

        var report = new Report("crowd", $"{_followers:N0} followers, {_online:N0} of them online; {_posts:N0} posts, a reader of {_followed:N0} creators");
        Disk.Describe(rig.Server.Directory, report);
        ReadPages(rig, reader, report);
        Publish(rig, author, tokens, report);
        report.Publish();
    }

    private void ReadPages(Rig rig, string reader, Report report)
    {
        var first = new Samples(_pages);
        var further = new Samples(_pages);
        var cursor = "";
        var samples = first;
        var answered = 0;
        using var connection = new HttpConnection(rig.Loop, rig.Server.EndPoint, (connection, status, body) =>
        {
            if (status != 200)
                throw new BenchException($"A page was answered with {status}.");
            if (answered++ >= 20)
                samples.Add(Stopwatch.GetTimestamp() - connection.SentAt);
            var page = System.Text.Json.JsonElement.Parse(body);
            cursor = page.GetProperty("nextCursor").GetString() ?? "";
            if (page.GetProperty("posts").GetArrayLength() != 20)
                throw new BenchException("A page of the feed is not full.");
        });
        Rig.CollectGarbage();
        Read(_pages, () => "");
        samples = further;
        Read(_pages, () => $"&cursor={cursor}");
        report.AddBelow("first page of the feed, p50", first.Percentile(50), "ms", goal: 10, aim: 5);
        report.AddLatencies("first page of the feed", first);
        report.AddLatencies("further page of the feed", further);

        void Read(int count, Func<string> query)
        {
            var until = answered + count;
            while (answered < until)
            {
                var before = answered;
                connection.Send(Api.Request(rig.Server.EndPoint, "GET", $"/api/posts?limit=20{query()}", reader, null), 0);
                if (!rig.Loop.RunUntil(() => answered > before, TimeSpan.FromSeconds(30)))
                    throw new BenchException("A page was not answered.");
            }
        }
    }

    private void Publish(Rig rig, string author, string[] tokens, Report report)
    {
        var residentBefore = rig.Server.ResidentBytes;
        var arrived = new int[_online];
        var latencies = new Samples(_online * _famous);
        var answers = new Samples(_famous);
        var sent = 0;
        using var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, new TidingsDialect(number => tokens[number], number => $"feed:{Rig.User(number)}"), (connection, message, at) =>
        {
            if (Marker.Read(message) < 0)
                return;
            arrived[connection.Number]++;
            latencies.Add(at - _sentAt);
        });
        fleet.Open(_online, TimeSpan.FromSeconds(120));
        var residentOpen = rig.Server.ResidentBytes;

        var alone = Others(rig, tokens, _apart * 4, static () => { });
        using var famous = new HttpConnection(rig.Loop, rig.Server.EndPoint, (connection, status, body) =>
        {
            if (status != 201)
                throw new BenchException($"The post was answered with {status}.");
            answers.Add(Stopwatch.GetTimestamp() - connection.SentAt);
        });
        var next = Clock.After(_apart / 2);
        var usage = Usage.Start(rig.Server);
        var beside = Others(rig, tokens, _apart * _famous, () =>
        {
            if (sent >= _famous || famous.IsBusy || Stopwatch.GetTimestamp() < next)
                return;
            next = Clock.After(_apart);
            _sentAt = Stopwatch.GetTimestamp();
            famous.Send(
                Api.Request(rig.Server.EndPoint, "POST", "/api/posts", author, $"{{\"content\":\"{Marker.Text(sent++, Marked)}\"}}", $"Idempotency-Key: {Guid.CreateVersion7():D}\r\n"), 0);
        });
        rig.Loop.RunUntil(() => Array.TrueForAll(arrived, count => count == sent), TimeSpan.FromSeconds(10));
        usage.Stop(report);

        report.AddBelow("the post acknowledged, slowest", answers.Percentile(100), "ms", goal: 100, aim: 50);
        var whole = arrived.Count(count => count == sent);
        report.Add($"followers online who got all {sent}", whole, "", whole == _online ? "all" : $"OF {_online:N0}");
        report.AddLatencies("post sent → on a follower's socket", latencies);
        report.AddLatencies("others' posts alone", alone);
        report.AddLatencies("others' posts beside it", beside);
        report.AddBelow("others' p99 beside it", beside.Percentile(99) / alone.Percentile(99), "x", goal: 1.5, aim: 1.2);
        report.AddBelow("memory for it", (rig.Server.ResidentBytes - residentOpen) / 1048576.0, "MiB", goal: 100, aim: 50);
        report.Add("memory of the connections", (residentOpen - residentBefore) / 1048576.0, "MiB");
    }

    /// <summary>Other users post, each as soon as its last post was answered.</summary>
    private Samples Others(Rig rig, string[] tokens, TimeSpan time, Action each)
    {
        var samples = new Samples((int)(20_000 * time.TotalSeconds));
        var isSending = true;
        var connections = Enumerable.Range(0, _others).Select(_ => new HttpConnection(rig.Loop, rig.Server.EndPoint, OnAnswered)).ToList();
        for (var index = 0; index < _others; index++)
            Send(connections[index], index);
        var until = Clock.After(time);
        rig.Loop.RunUntil(
            () =>
            {
                each();
                return Stopwatch.GetTimestamp() >= until;
            },
            time + TimeSpan.FromSeconds(1));
        isSending = false;
        if (!rig.Loop.RunUntil(() => !connections.Exists(static connection => connection.IsBusy), TimeSpan.FromSeconds(20)))
            throw new BenchException("Posts were left without an answer.");
        connections.ForEach(static connection => connection.Dispose());
        return samples;

        void Send(HttpConnection connection, long number) => connection.Send(
            Api.Request(rig.Server.EndPoint, "POST", "/api/posts", tokens[_online + number], "{\"content\":\"somebody else's\"}"), number);

        void OnAnswered(HttpConnection connection, int status, ReadOnlySpan<byte> body)
        {
            if (status != 201)
                throw new BenchException($"A post was answered with {status}.");
            samples.Add(Stopwatch.GetTimestamp() - connection.SentAt);
            if (isSending)
                Send(connection, connection.Request);
        }
    }

    private void Seed(string file, string authorId, string readerId)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        Execute("PRAGMA busy_timeout = 60000", []);
        Execute("PRAGMA synchronous = OFF", []);
        Execute("BEGIN IMMEDIATE", []);
        const string numbers = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < @count)";
        Execute(
            $"""
            {numbers} INSERT INTO users (id, nickname, nickname_key, is_creator, posts_count, created_at)
            SELECT printf('creator-%05d', i), printf('creator-%05d', i), printf('creator-%05d', i), 1, @each, 0 FROM n
            """,
            [("@count", Creators), ("@each", _posts / Creators)]);
        Execute(
            $"""
            {numbers} INSERT INTO posts (id, author_id, created_at, updated_at, version, likes_count, comments_count, deleted, is_locked, currency, status, media_type, category, title, content)
            SELECT printf('%012x7%019x', @from + i * 60, i), printf('creator-%05d', (i * 7919) % {Creators}), @from + i * 60, @from + i * 60, 1, 0, 0, 0, 0, 'SOL', 'published', 'text', '', '',
                   printf('This is post %d of many, with a sentence or two so that it takes the room that a post takes.', i)
            FROM n
            """,
            [("@count", _posts), ("@from", 1_700_000_000_000L)]);
        Execute(
            $"{numbers} INSERT INTO follows (follower_id, creator_id, since_seq, created_at) SELECT @reader, printf('creator-%05d', i * {Creators} / @count), 0, 0 FROM n",
            [("@count", _followed), ("@reader", readerId)]);
        Execute(
            $"""
            {numbers} INSERT INTO follows (follower_id, creator_id, since_seq, created_at)
            SELECT CASE WHEN i < @online THEN printf('bench-%05d', i) ELSE printf('follower-%07d', i) END, @author, 0, 0 FROM n
            """,
            [("@count", _followers), ("@online", _online), ("@author", authorId)]);
        Execute("UPDATE users SET followers_count = @count WHERE id = @author", [("@count", _followers), ("@author", authorId)]);
        Execute("COMMIT", []);
        Execute("PRAGMA wal_checkpoint(PASSIVE)", []);

        void Execute(string sql, (string Name, object Value)[] parameters)
        {
            using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.CommandTimeout = 600;
            foreach (var (name, value) in parameters)
                command.Parameters.AddWithValue(name, value);
            command.ExecuteNonQuery();
        }
    }
}
