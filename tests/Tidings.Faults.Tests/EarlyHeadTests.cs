using System.Text;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>F31 at the door: what is sent before a connection is anything, where the WebSocket handshake is recognised before HTTP.</summary>
public sealed class EarlyHeadTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const string Warmup = "GET /health/live HTTP/1.1\r\nHost: localhost\r\n\r\n";

    private readonly ServerProcess _server = running.Server;

    /// <summary>Heads that are not quite a handshake, made from one that is. HTTP says what they are.</summary>
    private static readonly Dictionary<string, Func<string, string>> Odd = new()
    {
        ["as it should be"] = head => head,
        ["two hosts"] = head => Add(head, "Host: elsewhere"),
        ["no host"] = head => head.Replace("Host: localhost\r\n", "", StringComparison.Ordinal),
        ["bare line feeds"] = head => head.Replace("\r\n", "\n", StringComparison.Ordinal),
        ["one bare line feed"] = head => head.Replace("localhost\r\n", "localhost\n", StringComparison.Ordinal),
        ["a folded field"] = head => Add(head, "X-Folded: one\r\n two"),
        ["a space before the colon"] = head => Add(head, "X-Odd : one"),
        ["a field without a name"] = head => Add(head, ": one"),
        ["a control character"] = head => Add(head, "X-Odd: a\u0001b"),
        ["a NUL"] = head => Add(head, "X-Odd: a\0b"),
        ["absolute form"] = head => head.Replace("GET /ws", "GET http://localhost/ws", StringComparison.Ordinal),
        ["HTTP/1.0"] = head => head.Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal),
        ["HTTP/1.2"] = head => head.Replace("HTTP/1.1", "HTTP/1.2", StringComparison.Ordinal),
        ["HTTP/9"] = head => head.Replace("HTTP/1.1", "HTTP/9", StringComparison.Ordinal),
        ["lower case"] = head => head.Replace("GET", "get", StringComparison.Ordinal),
        ["POST"] = head => head.Replace("GET", "POST", StringComparison.Ordinal),
        ["a body of nothing"] = head => Add(head, "Content-Length: 0"),
        ["two lengths"] = head => Add(head, "Content-Length: 0\r\nContent-Length: 5"),
        ["a length and chunks"] = head => Add(head, "Content-Length: 0\r\nTransfer-Encoding: chunked"),
        ["another version of WebSocket"] = head => head.Replace("Version: 13", "Version: 8", StringComparison.Ordinal),
        ["no key"] = head => head.Replace("Sec-WebSocket-Key", "X-Key", StringComparison.Ordinal),
        ["a key that is too short"] = head => head.Replace("dGhlIHNhbXBsZSBub25jZQ==", "dGhl", StringComparison.Ordinal),
        ["another path"] = head => head.Replace("/ws", "/wsx", StringComparison.Ordinal),
        ["a fragment"] = head => head.Replace("/ws", "/ws#x", StringComparison.Ordinal),
        ["more than 8 KB"] = head => Add(head, "X-Long: " + new string('x', 9_000)),
        ["more than 32 KB"] = head => Add(head, "X-Long: " + new string('x', 40_000)),
        ["a line of 20 KB"] = head => head.Replace("/ws", "/ws?x=" + new string('x', 20_000), StringComparison.Ordinal),
        ["60 fields"] = head => Add(head, string.Join("\r\n", Enumerable.Range(0, 60).Select(number => $"X-{number}: 1"))),
        ["200 fields"] = head => Add(head, string.Join("\r\n", Enumerable.Range(0, 200).Select(number => $"X-{number}: 1"))),
    };

    public static TheoryData<string> OddNames { get; } = [.. Odd.Keys];

    [Theory]
    [MemberData(nameof(OddNames))]
    public async Task What_is_not_quite_a_handshake_gets_the_answer_that_HTTP_would_give(string what)
    {
        var bytes = Encoding.Latin1.GetBytes(Odd[what](Handshake()));
        using var first = await RawConnection.OpenAsync(_server.Address);
        using var second = await RawConnection.OpenAsync(_server.Address);

        await first.SendAsync(bytes);
        await second.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(Warmup), .. bytes]); // the first request of a connection alone is looked at before HTTP

        var answer = await first.ReadAnswerAsync();
        StatusOf(answer).ShouldBe(StatusOf(await second.ReadAnswerAsync(2)), what);
        if (what == "as it should be") answer.ShouldStartWith("HTTP/1.1 101");
        QuietAboutIt();
    }

    [Fact]
    public async Task A_head_that_comes_byte_by_byte_is_a_handshake_all_the_same()
    {
        using var dribbling = await RawConnection.OpenAsync(_server.Address);
        foreach (var one in Encoding.ASCII.GetBytes(Handshake())) await dribbling.SendAsync(new[] { one });
        (await dribbling.ReadAnswerAsync()).ShouldStartWith("HTTP/1.1 101");
    }

    [Fact]
    public async Task A_head_that_ends_anywhere_ends_the_connection_and_nothing_else()
    {
        var head = Encoding.ASCII.GetBytes(Handshake());
        await Parallel.ForEachAsync(Enumerable.Range(0, head.Length + 1), new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (length, _) =>
        {
            using var cut = await RawConnection.OpenAsync(_server.Address);
            await cut.SendAsync(head.AsMemory(0, length));
            cut.EndSending();
            StatusOf(await cut.ReadToEndAsync()).ShouldBeOneOf("", "400", length == head.Length ? "101" : "400");
        });
        QuietAboutIt();
    }

    [Fact]
    public async Task Frames_in_the_same_packet_as_the_head_are_heard_and_garbage_is_a_protocol_error()
    {
        using var eager = await RawConnection.OpenAsync(_server.Address);
        var ping = """{"type":"ping","id":7}"""u8.ToArray();
        await eager.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(Handshake()), 0x81, (byte)(0x80 | ping.Length), 0, 0, 0, 0, .. ping]);
        (await eager.ReadUntilAsync("\"pong\"")).ShouldContain("\"pong\"");

        using var garbled = await RawConnection.OpenAsync(_server.Address);
        await garbled.SendAsync((byte[])[.. Encoding.ASCII.GetBytes(Handshake()), .. "GET / HTTP/1.1\r\n\r\n"u8]);
        var answer = await garbled.ReadToEndAsync();
        answer.ShouldStartWith("HTTP/1.1 101");
        answer.ShouldContain("\u0088", customMessage: "a close frame");
        QuietAboutIt();
    }

    [Theory]
    [InlineData("a TLS hello", "\u0016\u0003\u0001\u0002\u0000\u0001\u0000\u0001\u00fc\u0003\u0003")]
    [InlineData("HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\u0004\0\0\0\0\0")]
    [InlineData("SSH", "SSH-2.0-OpenSSH_9.2\r\n")]
    [InlineData("empty lines", "\r\n\r\n\r\n\r\n")]
    [InlineData("nonsense", "\u0001\u0002\u0003\u0004\r\n\r\n")]
    public async Task Another_protocol_is_sent_away(string what, string bytes)
    {
        using var stranger = await RawConnection.OpenAsync(_server.Address);
        await stranger.SendAsync(Encoding.Latin1.GetBytes(bytes));
        stranger.EndSending();
        await stranger.ReadToEndAsync();
        (await _server.IsReadyAsync()).ShouldBeTrue(what);
        QuietAboutIt();
    }

    [Fact]
    public async Task Thousands_that_say_nothing_or_half_a_word_are_cut_after_ten_seconds_and_disturb_nobody()
    {
        using var author = await Account.OfHostAsync(_server, "author");
        await using var reader = await NativeClient.ConnectAsync(author);
        await reader.SubscribeAsync(author.Creator);
        var before = _server.Status;
        var head = Encoding.ASCII.GetBytes(Handshake());
        var silent = new List<RawConnection>();
        for (var number = 0; number < TestRun.Number(1_000, 5_000); number++)
        {
            silent.Add(await RawConnection.OpenAsync(_server.Address));
            if (number % 2 == 1) await silent[^1].SendAsync(head.AsMemory(0, number % head.Length));
        }

        _server.Status.Files.ShouldBeGreaterThan(before.Files + (silent.Count / 2), "they are open");
        var posts = 0;
        var serving = Deadline.In(TimeSpan.FromSeconds(10 + 2 + 10)); // the limit, the timer's step, and a busy machine
        while (_server.Status.Files > before.Files + 50)
        {
            serving.IsOver.ShouldBeFalse("they are cut");
            await author.PostAsync($"{posts}");
            await reader.WaitForAsync(message => message.PostText() == $"{posts}", "what is posted meanwhile");
            posts++;
        }

        reader.EventsOf(author.Creator).Count.ShouldBe(posts);
        (_server.Status.ResidentBytes - before.ResidentBytes).ShouldBeLessThan(100 * 1024 * 1024);
        foreach (var connection in silent) connection.Dispose();
        QuietAboutIt();
    }

    private static string Add(string head, string fields) => head[..^2] + fields + "\r\n\r\n";

    private static string StatusOf(string answer) => answer.StartsWith("HTTP/1.1 ", StringComparison.Ordinal) ? answer.Substring(9, 3) : answer;

    private string Handshake() =>
        "GET /ws HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        + $"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: tidings.v1\r\nAuthorization: Bearer {UserToken.For("42", _server.AuthSecret)}\r\n\r\n";

    /// <summary>What strangers send is no fault of the server's: nothing of it is in the log as one.</summary>
    private void QuietAboutIt()
    {
        string[] faults = ["fail:", "crit:", "Unhandled"];
        _server.Output.Text.Split('\n').Where(line => faults.Any(fault => line.Contains(fault, StringComparison.Ordinal))).ShouldBeEmpty(_server.Output.Text);
    }
}
