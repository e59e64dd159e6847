using System.Globalization;
using System.Text.Json;
using Shouldly;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests;

/// <summary>The same scenario over each transport: events 1 to N while the client is cut again and again; it sees each once, in order.</summary>
public sealed class ResumeTests : IAsyncLifetime
{
    private const int Events = 400;

    private static readonly string[] Channels = ["post:7", "open:a", "feed:42"];
    private static readonly string[] Targets = ["post:7", "open:a", "creator:of-42"];

    private TestServer _server = null!;

    public async ValueTask InitializeAsync() => _server = await TestServer.StartAsync();

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    [Fact]
    public async Task Over_WebSocket() => await CheckAsync(async (seen, random, isDone) =>
    {
        var positions = new Dictionary<string, string>();
        while (!isDone())
        {
            await using var socket = await TestSocket.ConnectAsync(_server);
            foreach (var channel in Channels)
                await socket.SendAsync($$"""{"type":"subscribe","id":1,"channel":"{{channel}}"{{(positions.TryGetValue(channel, out var since) ? $",\"since\":\"{since}\"" : "")}}}""");

            for (var left = random.Next(1, 60); left > 0 && !isDone(); left--)
            {
                var message = await socket.ReceiveAsync();
                if (message.TryGetProperty("recovered", out var recovered)) recovered.GetBoolean().ShouldBeTrue();
                else positions[message.GetProperty("channel").GetString()!] = message.GetProperty("position").GetString()!;
                seen(message);
            }

            socket.Cut();
        }
    });

    [Fact]
    public async Task Over_an_event_stream() => await CheckAsync(async (seen, random, isDone) =>
    {
        string? token = null;
        while (!isDone())
        {
            using var stream = await EventStream.OpenAsync(_server, $"channels={string.Join(',', Channels)}&token=42", token);
            // The first time it stays until it has a place in every channel: without one, coming back is a gap.
            for (var left = random.Next(token is null ? 4 : 1, 60); left > 0 && !isDone(); left--)
            {
                var next = (await stream.ReadAsync()).ShouldNotBeNull();
                next.Type.ShouldNotBe("gap");
                if (next.Type == "closing")
                {
                    // The streams that were left have not all ended yet, and a user may have so many only.
                    next.Json.GetProperty("code").GetInt32().ShouldBe(4429);
                    break;
                }

                if (token is not null || next.Type != "connected") token = next.Id;
                seen(next.Json);
            }
        }
    });

    [Fact]
    public async Task Over_long_polling() => await CheckAsync(async (seen, random, isDone) =>
    {
        using var client = _server.CreateClient();
        var since = "";
        while (!isDone())
        {
            var query = $"/poll?token=42&timeout=1&channels={string.Join(',', Channels)}&since={since}";
            var json = JsonDocument.Parse(await client.GetStringAsync(new Uri(query, UriKind.Relative)).WaitAsync(TestSocket.Deadline)).RootElement;
            json.GetProperty("gaps").GetArrayLength().ShouldBe(0);
            if (since.Length > 0 && random.Next(4) == 0) continue; // the answer is lost on the way

            foreach (var message in json.GetProperty("events").EnumerateArray()) seen(message);
            since = json.GetProperty("since").GetString()!;
            if (since.Length > 0) _started.TrySetResult();
        }
    });

    private readonly TaskCompletionSource _started = new();

    private async Task CheckAsync(Func<Action<JsonElement>, Random, Func<bool>, Task> read)
    {
        var seed = Random.Shared.Next();
        TestContext.Current.TestOutputHelper!.WriteLine($"seed {seed}");
        var got = Channels.ToDictionary(static channel => channel, static _ => new List<int>());
        var placed = new HashSet<string>();
        var reading = read(
            message =>
            {
                if (message.GetProperty("type").GetString() == "subscribed" && placed.Add(message.GetProperty("channel").GetString()!) && placed.Count == Channels.Length)
                    _started.TrySetResult();
                if (message.GetProperty("type").GetString() == "note")
                    got[message.GetProperty("channel").GetString()!].Add(int.Parse(message.GetProperty("id").GetString()!, CultureInfo.InvariantCulture));
            },
            new Random(seed),
            () => got.Values.Sum(static ids => ids.Count) >= Events);

        // Whoever has not been told a place yet can't come back to it, so nothing is published before.
        await (await Task.WhenAny(_started.Task, reading)).WaitAsync(TestSocket.Deadline);
        for (var index = 0; index < Events; index++)
        {
            await _server.PublishAsync(Targets[index % Targets.Length]);
            if (index % 5 == 0) await Task.Yield();
        }

        await reading.WaitAsync(TestSocket.Deadline * 3);
        for (var index = 0; index < Channels.Length; index++)
            got[Channels[index]].ShouldBe(Enumerable.Range(1, Events).Where(id => (id - 1) % Targets.Length == index), $"seed {seed}, {Channels[index]}");
    }
}
