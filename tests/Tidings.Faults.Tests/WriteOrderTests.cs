using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F3: a power cut cannot be made here, but the order of the system calls shows what one would find.</summary>
public sealed class WriteOrderTests
{
    [Fact]
    public async Task A_post_is_on_disk_before_anybody_hears_of_it()
    {
        using var folder = new TemporaryFolder();
        var traceFile = Path.Combine(folder.Path, "trace");
        var posts = Enumerable.Range(1, TestRun.Number(20, 200)).Select(number => $"traced-{number}-of-them").ToList();
        await using (var server = await ServerProcess.StartAsync(new ServerSettings
        {
            // -D: the server keeps the process number that we started.
            Launcher = ["strace", "-D", "-f", "-y", "-qq", "-s", "16384", "-e", "trace=fsync,fdatasync,write,writev,pwrite64,sendto,sendmsg", "-o", traceFile],
        }))
        {
            using var author = await Account.RegisterAsync(server, "author");
            await using var listener = await NativeClient.ConnectAsync(author);
            await listener.SubscribeAsync(author.Creator);
            foreach (var post in posts) await author.PostAsync(post);
            await listener.WaitForAsync(message => message.PostText() == posts[^1], "the last event");
            await server.StopAsync();
        }

        var trace = SystemCallTrace.Read(traceFile);
        foreach (var post in posts)
        {
            var written = trace.First(call => call.IsOnFile("tidings.db-wal") && call.Writes(post));
            var synced = trace.First(call => call.Name is "fdatasync" or "fsync" && call.IsOnFile("tidings.db-wal") && call.Began > written.Ended);
            var answered = trace.First(call => call.IsOnSocket && call.Writes("HTTP/1.1 201") && call.Began > written.Began);
            var told = trace.First(call => call.IsOnSocket && call.Writes("post_created") && call.Writes(post));

            synced.Result.ShouldBe("0", post);
            answered.Began.ShouldBeGreaterThan(synced.Ended, $"the answer for {post}");
            told.Began.ShouldBeGreaterThan(synced.Ended, $"the event for {post}");
        }
    }
}
