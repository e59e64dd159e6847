using System.Globalization;
using Microsoft.Data.Sqlite;
using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// Targets that are all due in the same second: each post on the feed and on a webhook, some also on a platform that takes seconds for each. How late each
/// begins is measured where it arrives, and on the feed by the post's own time. The rows are written into the SQLite file beside the idle server.
/// </summary>
internal sealed class Schedule(Options options) : IMeasurement
{
    private const int AccountsOfUser = 5;

    private readonly int _posts = options.Number("posts", 4_500, 100, 100_000);
    private readonly int _users = options.Number("users", 40, 1, 1_000);
    private readonly int _slow = options.Number("slow", 1_000, 0, 100_000);
    private readonly TimeSpan _delay = options.Seconds("slow-seconds", 3, 1, 30);

    public void Run(Rig rig)
    {
        using var webhooks = new StubPlatform("{}", TimeSpan.Zero);
        using var slow = new StubPlatform("""{"id":"1","name":"slow","channel_id":"2"}""", _delay);
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var (fast, late) = (new List<(string User, string Account)>(), new List<(string User, string Account)>());
        for (var user = 0; user < _users; user++)
        {
            var (id, token) = api.Register($"bench{user}");
            for (var number = 0; number < AccountsOfUser; number++)
                fast.Add((id, Connect(api, token, "webhook", $"http://127.0.0.1:{webhooks.Port}/hook/{user}-{number}")));
            late.Add((id, Connect(api, token, "discord", $"http://127.0.0.1:{slow.Port}/api/webhooks/{1_000 + user}/token-of-the-bench")));
        }

        var targets = (2 * _posts) + _slow;
        var file = Path.Combine(rig.Server.Directory, "data", "tidings.db");
        var due = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds() + 5_000 + (targets / 4);
        Seed(file, fast, late, due);

        rig.Loop.RunUntil(() => webhooks.Posts.Count >= _posts, TimeSpan.FromSeconds(120 + (targets / 100)));

        var report = new Report("schedule", $"{targets:N0} targets due in the same second: {_posts:N0} posts on the feed and on {fast.Count:N0} webhooks, {_slow:N0} on a platform that takes {_delay.TotalSeconds:N0} s");
        Disk.Describe(rig.Server.Directory, report);
        var arrived = new Samples(_posts);
        foreach (var (_, at) in webhooks.Posts)
            arrived.Add(Ticks(at.ToUnixTimeMilliseconds() - due));
        report.Add("webhooks that arrived", webhooks.Posts.Count, "", webhooks.Posts.Count == _posts ? "all, once" : $"OF {_posts:N0}");
        report.AddLatencies("due → at the webhook", arrived);
        report.AddBelow("due → at the webhook, p99", arrived.Percentile(99), "ms", goal: 2_000);
        var onFeed = new Samples(_posts);
        foreach (var at in PublishedAt(file))
            onFeed.Add(Ticks(at - due));
        report.Add("posts on the feed", onFeed.Count, "", onFeed.Count == _posts ? "all" : $"OF {_posts:N0}");
        report.AddLatencies("due → on the feed", onFeed);
        report.Add("meanwhile at the slow platform", slow.Posts.Count, "");
        report.Publish();
    }

    private static string Connect(Api api, string token, string platform, string url) =>
        api.Expect(201, "POST", "/api/accounts", token, $"{{\"platform\":\"{platform}\",\"credentials\":{{\"url\":\"{url}\"}}}}").GetProperty("account").GetProperty("id").GetString()!;

    private static long Ticks(long milliseconds) => Math.Max(0, milliseconds) * System.Diagnostics.Stopwatch.Frequency / 1_000;

    private static List<long> PublishedAt(string file)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT created_at FROM posts WHERE status = 'published'";
        using var reader = command.ExecuteReader();
        var times = new List<long>();
        while (reader.Read())
            times.Add(reader.GetInt64(0));
        return times;
    }

    private void Seed(string file, List<(string User, string Account)> fast, List<(string User, string Account)> late, long due)
    {
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        using var begin = connection.BeginTransaction();
        using var post = Prepare(
            connection,
            """
            INSERT INTO posts (id, author_id, created_at, updated_at, version, likes_count, comments_count, deleted, is_locked, currency, status, media_type, category, title, content, scheduled_at, publishing)
            VALUES (@id, @user, @now, @now, 1, 0, 0, 0, 0, 'SOL', 'scheduled', 'text', '', '', 'One of many that are due now, with a sentence or two.', @due, 'scheduled')
            """);
        using var target = Prepare(
            connection,
            """
            INSERT INTO targets (id, post_id, user_id, account_id, platform, lane, state, due_at, next_at, miss_at, give_up_at, revision, idempotency_key, attempt, tries, doubt, updated_at)
            VALUES (@id, @post, @user, @account, @platform, @lane, 'pending', @due, @due, @due + 3600000, @due + 7200000, 0, @id || '-0', 0, 0, 0, @now)
            """);

        var (now, ids, slowLeft) = (due - 3_600_000, 0, _slow);
        for (var index = 0; index < _posts; index++)
        {
            var (user, account) = fast[index % fast.Count];
            var postId = Id(index);
            Run(post, ("@id", postId), ("@user", user), ("@now", now), ("@due", due));
            Add(postId, user, "", "tidings", $"tidings:{user}");
            Add(postId, user, account, "webhook", account);
            if (slowLeft-- <= 0)
                continue;
            var slow = late.Find(one => one.User == user);
            Add(postId, user, slow.Account, "discord", slow.Account);
        }

        begin.Commit();

        void Add(string postId, string user, string account, string platform, string lane) => Run(
            target, ("@id", Id(1_000_000 + ids++)), ("@post", postId), ("@user", user), ("@account", account), ("@platform", platform), ("@lane", lane), ("@due", due), ("@now", now));

        static string Id(int number) => number.ToString("x32", CultureInfo.InvariantCulture);
    }

    private static SqliteCommand Prepare(SqliteConnection connection, string sql)
    {
        var command = connection.CreateCommand();
        command.CommandText = sql;
        return command;
    }

    private static void Run(SqliteCommand command, params (string Name, object Value)[] parameters)
    {
        command.Parameters.Clear();
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        command.ExecuteNonQuery();
    }
}
