using System.Diagnostics;
using System.Net;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F5: somebody else has the database open.</summary>
[Collection(nameof(Alone))]
public sealed class BusyDatabaseTests(ITestOutputHelper output)
{
    private const long Megabyte = 1024 * 1024;

    [Fact]
    public async Task A_long_reader_neither_slows_writing_nor_makes_the_write_ahead_log_grow_for_ever()
    {
        await using var server = await ServerProcess.StartAsync();
        using var author = await Account.RegisterAsync(server, "author");
        var walFile = server.DatabaseFile + "-wal";
        await PostForAsync(author, TimeSpan.FromSeconds(1)); // to be warm

        TimeSpan[] whileHeld;
        using (var reader = DatabaseFile.Open(server.DatabaseFile))
        {
            reader.Run("BEGIN");
            var before = reader.Ask<long>("SELECT count(*) FROM events");
            whileHeld = await PostForAsync(author, TimeSpan.FromSeconds(TestRun.Number(8, 60)));
            reader.Ask<long>("SELECT count(*) FROM events").ShouldBe(before, "the reader holds its snapshot");
            reader.Run("COMMIT");
        }

        var atRelease = DatabaseFile.SizeOf(walFile);
        var afterwards = await PostForAsync(author, TimeSpan.FromSeconds(4));
        var atEnd = DatabaseFile.SizeOf(walFile);

        output.WriteLine($"{whileHeld.Length} posts while held, p99 {Percentile(whileHeld, 0.99).TotalMilliseconds:0.0} ms; log {atRelease / Megabyte} MB at release");
        output.WriteLine($"{afterwards.Length} posts afterwards, p99 {Percentile(afterwards, 0.99).TotalMilliseconds:0.0} ms; log {atEnd / Megabyte} MB at the end");
        atRelease.ShouldBeGreaterThan(2 * Megabyte, "the reader did keep the log from being reset, or this test shows nothing");
        Percentile(whileHeld, 0.99).ShouldBeLessThan(TimeSpan.FromMilliseconds(500));
        atEnd.ShouldBeLessThan(atRelease + (8 * Megabyte), "the log is used again instead of growing");
    }

    [Fact]
    public async Task While_another_program_holds_the_write_lock_posts_are_refused_in_time_and_threads_do_not_pile_up()
    {
        await using var scenario = await Scenario.StartAsync();
        var (server, writer) = (scenario.Server, scenario.Writer);
        var threadsBefore = server.Status.Threads;

        using (var other = DatabaseFile.Open(server.DatabaseFile))
        {
            other.Run("BEGIN IMMEDIATE");
            var startedAt = TimeProvider.System.GetTimestamp();
            using var refused = await scenario.Authors[0].TryPostAsync("refused");
            output.WriteLine($"refused after {TimeProvider.System.GetElapsedTime(startedAt).TotalSeconds:0.0} s");
            refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
            refused.Headers.RetryAfter.ShouldNotBeNull();
            TimeProvider.System.GetElapsedTime(startedAt).ShouldBeLessThan(TimeSpan.FromSeconds(15));

            var many = Enumerable.Range(0, TestRun.Number(500, 5_000)).Select(_ => writer.WriteOneAsync()).ToList();
            (await scenario.Follower.GetAsync("/api/posts")).GetProperty("posts").GetArrayLength().ShouldBe(0, "reading goes on");
            server.Status.Threads.ShouldBeLessThan(threadsBefore + 64);
            await Task.WhenAny(Task.WhenAll(many), Task.Delay(TimeSpan.FromSeconds(3)));
            other.Run("ROLLBACK");
            await Task.WhenAll(many);
        }

        await scenario.JudgeAsync();
    }

    private static async Task<TimeSpan[]> PostForAsync(Account author, TimeSpan time)
    {
        var deadline = Deadline.In(time);
        var writers = Enumerable.Range(0, 4).Select(async writer =>
        {
            var took = new List<TimeSpan>();
            var padding = new string('x', 1_000);
            while (!deadline.IsOver)
            {
                var startedAt = Stopwatch.GetTimestamp();
                await author.PostAsync($"{writer} {padding}");
                took.Add(Stopwatch.GetElapsedTime(startedAt));
            }

            return took;
        });
        return [.. (await Task.WhenAll(writers)).SelectMany(took => took)];
    }

    private static TimeSpan Percentile(TimeSpan[] sample, double part) => sample.Order().ElementAt((int)(sample.Length * part));
}
