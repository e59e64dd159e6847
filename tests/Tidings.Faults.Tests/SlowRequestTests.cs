using System.Text;
using Tidings.Testing;
using Tidings.Testing.Clients;
using Tidings.Testing.Network;
using Tidings.Testing.Servers;

namespace Tidings.Faults.Tests;

/// <summary>Slow headers, slow bodies and slow readers of answers (what slowhttptest does), many at once.</summary>
public sealed class SlowRequestTests(RunningServer running) : IClassFixture<RunningServer>
{
    private const int Megabyte = 1024 * 1024;

    /// <summary>Headers may take 10 s, and a body that hardly moves is cut 5 s after it began. The rest is for a busy machine.</summary>
    private static readonly TimeSpan CutWithin = TimeSpan.FromSeconds(60);

    private readonly ServerProcess _server = running.Server;

    [Theory]
    [InlineData("header")]
    [InlineData("body")]
    public async Task Whoever_dribbles_a_request_is_cut_and_others_are_served(string what)
    {
        using var author = await Account.OfHostAsync(_server, $"author-{what}");
        var before = _server.Status;
        var slow = await OpenAsync(what, author);

        var (serving, posts) = (Deadline.In(CutWithin), 0);
        while (_server.Status.Files > before.Files + (slow.Count / 10))
        {
            serving.IsOver.ShouldBeFalse("they are cut");
            await author.PostAsync($"{posts++}");
            await Task.WhenAll(slow.Select(static connection => connection.SendAsync("x"u8.ToArray())));
        }

        posts.ShouldBeGreaterThan(0);
        (_server.Status.ResidentBytes - before.ResidentBytes).ShouldBeLessThan(100 * Megabyte);
        foreach (var connection in slow) connection.Dispose();
    }

    /// <summary>How slow a reader of an answer may be is Kestrel's affair (240 bytes a second); what it costs us is bounded by what one answer holds.</summary>
    [Fact]
    public async Task Whoever_asks_for_much_and_reads_nothing_costs_little_and_others_are_served()
    {
        using var author = await Account.OfHostAsync(_server, "author-read");
        for (var number = 0; number < 20; number++) await author.PostAsync(new string('x', 9_000));
        await author.GetAsync(Listing(author));
        var before = _server.Status;
        var slow = await OpenAsync("read", author);

        for (var number = 0; number < 50; number++) await author.PostAsync($"{number}");
        (_server.Status.ResidentBytes - before.ResidentBytes).ShouldBeLessThan((50 + slow.Count) * Megabyte);
        foreach (var connection in slow) connection.Dispose();
        await Eventually.HoldsAsync(() => _server.Status.Files <= before.Files + (slow.Count / 10), "they are let go when they leave");
    }

    private static string Listing(Account author) => $"/api/posts?limit=100&creatorId={author.Id}";

    private async Task<List<RawConnection>> OpenAsync(string what, Account author)
    {
        var before = _server.Status.Files;
        var slow = new List<RawConnection>();
        for (var number = 0; number < TestRun.Number(200, 1_000); number++)
        {
            slow.Add(await RawConnection.OpenAsync(_server.Address, receiveBuffer: 4_096));
            await slow[^1].SendAsync(Beginning(what, author));
        }

        await Eventually.HoldsAsync(() => _server.Status.Files > before + (slow.Count / 2), "they are open");
        return slow;
    }

    private static byte[] Beginning(string what, Account author)
    {
        var (host, authorization) = ("Host: localhost", $"Authorization: Bearer {author.Token}");
        var asking = $"GET {Listing(author)} HTTP/1.1\r\n{host}\r\n{authorization}\r\n\r\n";
        return Encoding.ASCII.GetBytes(what switch
        {
            "header" => $"GET /api/posts HTTP/1.1\r\n{host}\r\nX-Slow: ",
            "body" => $"POST /api/posts HTTP/1.1\r\n{host}\r\n{authorization}\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n{{\"content\":\"",
            _ => string.Concat(Enumerable.Repeat(asking, 30)), // more than the kernel keeps for who does not read
        });
    }
}
