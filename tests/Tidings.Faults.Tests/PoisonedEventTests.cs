using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F9: rows of the event log that nobody can read.</summary>
public sealed class PoisonedEventTests
{
    private const int Good = 100;

    private static readonly string[] Poisons = ["payload = x'ff'", "payload = CAST('{\"a\":' AS BLOB)", "effect = 99", "created_at = 9223372036854775807", "type = ''"];

    [Fact]
    public async Task What_is_behind_poisoned_events_reaches_everybody_and_their_places_stay_taken()
    {
        await using var server = await ServerProcess.StartAsync(new ServerSettings { Settings = Scenario.LongHistory });
        using var author = await Account.RegisterAsync(server, "author");
        using var reader = await Account.RegisterAsync(server, "reader");
        await reader.FollowAsync(author);
        string[] channels = [author.Creator, reader.Feed];
        var places = new Dictionary<string, string>();
        await using (var before = await NativeClient.ConnectAsync(reader))
            foreach (var channel in channels) places[channel] = (await before.SubscribeAsync(channel)).Text("position")!;
        foreach (var poison in Poisons) await author.PostAsync($"bad {poison}");
        for (var number = 0; number < Good; number++) await author.PostAsync($"{number}");
        (await server.StopAsync()).ShouldBe(0);
        var lastOffset = Poison(server, author.Creator);

        await server.StartAgainAsync();
        await using var again = await NativeClient.ConnectAsync(reader);
        foreach (var channel in channels) (await again.SubscribeAsync(channel, places[channel])).GetProperty("recovered").GetBoolean().ShouldBeTrue(channel);
        await author.PostAsync("live");

        var expected = Enumerable.Range(0, Good).Select(number => $"{number}").Append("live").ToList();
        foreach (var channel in channels)
        {
            await again.WaitForAsync(message => message.Text("channel") == channel && message.PostText() == "live", $"what is live in {channel}");
            again.EventsOf(channel).Select(happened => happened.PostText()).ShouldBe(expected, channel);
            (await again.GetHistoryAsync(channel, places[channel])).Select(happened => happened.PostText()).ShouldBe(expected, channel);
        }

        (await server.GetMetricAsync("tidings_holes_total")).ShouldBe(0);
        using (var database = DatabaseFile.Open(server.DatabaseFile))
            database.Ask<long>($"SELECT last_offset FROM channels WHERE name = '{author.Creator}'").ShouldBe(lastOffset + 1, "no offset is given out twice");
        Reports(server).ShouldBe(Poisons.Length, $"each is reported once, with a number that does not change:\n{server.Output}");
    }

    /// <summary>Spoils the channel's first rows, and puts the log back to where nothing was handed over.</summary>
    private static long Poison(ServerProcess server, string channel)
    {
        using var database = DatabaseFile.Open(server.DatabaseFile);
        var rows = $"channel_id = (SELECT id FROM channels WHERE name = '{channel}')";
        for (var offset = 1; offset <= Poisons.Length; offset++) database.Run($"UPDATE events SET {Poisons[offset - 1]} WHERE {rows} AND offset = {offset}");
        database.Run($"UPDATE meta SET value = (SELECT min(seq) - 1 FROM events WHERE {rows}) WHERE key = 'carried_through'");
        return database.Ask<long>($"SELECT last_offset FROM channels WHERE name = '{channel}'");
    }

    private static int Reports(ServerProcess server) =>
        server.Output.Text.Split('\n').Count(line => line.Contains("EventRows[2101]", StringComparison.Ordinal));
}
