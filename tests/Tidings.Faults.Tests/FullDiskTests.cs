using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F6: there is no room left. The data is on a tmpfs of 8 MB that lives in the server's own mount namespace.</summary>
public sealed class FullDiskTests(ITestOutputHelper output)
{
    [Fact]
    public async Task On_a_full_disk_writes_are_refused_and_everything_else_goes_on_until_there_is_room_again()
    {
        using var folder = new TemporaryFolder();
        await using var scenario = await Scenario.StartAsync(OnSmallDisk(folder.Path), padding: new string('x', 3_000));
        var (server, writer) = (scenario.Server, scenario.Writer);
        var disk = $"/proc/{server.ProcessId}/root{server.DataDirectory}"; // as the server sees it
        var filler = Path.Combine(disk, "filler");
        await File.WriteAllBytesAsync(filler, new byte[3 * 1024 * 1024]);
        await using var room = await NativeClient.ConnectAsync(scenario.Follower);
        await room.SubscribeAsync("room:1");

        await FillAsync(scenario);
        output.WriteLine($"{scenario.Log.AcknowledgedCount} posts fit");
        scenario.Log.AcknowledgedCount.ShouldBeGreaterThan(50);

        await EverythingElseGoesOnAsync(scenario, room);
        File.Delete(filler);
        await writer.SettleAsync();
        await scenario.JudgeAsync();

        server.IsRunning.ShouldBeTrue();
        using (var database = DatabaseFile.Open(Path.Combine(disk, "tidings.db"), SqliteOpenMode.ReadOnly))
            database.Ask<string>("PRAGMA integrity_check").ShouldBe("ok");
    }

    /// <summary>Posts until the disk is so full that nothing fits, several times in a row.</summary>
    private static async Task FillAsync(Scenario scenario)
    {
        for (var refusals = 0; refusals < 20;)
        {
            if (await scenario.Writer.WriteOneAsync()) refusals = 0;
            else refusals++;
            scenario.Writer.Asked.ShouldBeLessThan(20_000, "the disk never became full");
        }

        using var refused = await scenario.Authors[0].TryPostAsync(new string('x', 9_000));
        refused.StatusCode.ShouldBe(HttpStatusCode.ServiceUnavailable);
        refused.Headers.RetryAfter.ShouldNotBeNull();
        (await refused.Content.ReadFromJsonAsync<JsonElement>()).Text("code").ShouldNotBeNullOrEmpty();
    }

    private static async Task EverythingElseGoesOnAsync(Scenario scenario, NativeClient room)
    {
        var acknowledged = scenario.Log.AcknowledgedCount;
        (await scenario.Follower.GetAsync("/api/posts")).GetProperty("posts").GetArrayLength().ShouldBe(Math.Min(20, acknowledged));
        using (var alive = await scenario.Follower.Http.GetAsync("/health/live")) alive.StatusCode.ShouldBe(HttpStatusCode.OK);

        // What is stored goes out, to those who are here and to those who come now; what is never stored goes on altogether.
        foreach (var reader in scenario.Readers) reader.Complaints.ShouldBeEmpty();
        await using var late = await NativeClient.ConnectAsync(scenario.Follower);
        (await late.SubscribeAsync(scenario.Authors[0].Creator)).Text("position").ShouldNotBeNull();
        await late.SubscribeAsync("room:1");
        (await late.RequestAsync(new JsonObject { ["type"] = "publish", ["channel"] = "room:1", ["event"] = "hello", ["data"] = new JsonObject() }))
            .Text("type").ShouldBe("published");
        await room.WaitForAsync(message => message.IsOfType("hello"), "what is published to a channel that is not stored");
    }

    private static ServerSettings OnSmallDisk(string folder)
    {
        var data = Directory.CreateDirectory(Path.Combine(folder, "data")).FullName;
        string[] asRoot = Environment.IsPrivilegedProcess ? [] : ["--user", "--map-root-user"];
        return new ServerSettings
        {
            DataDirectory = data,
            Launcher = ["unshare", "--mount", .. asRoot, "sh", "-c", "mount -t tmpfs -o size=8m tmpfs \"$0\" && exec \"$@\"", data],
            Settings = new Dictionary<string, string>(Scenario.LongHistory) { ["Channels:room:Access"] = "signed-in", ["Channels:room:ClientPublish"] = "true" },
        };
    }
}
