using System.Text;
using System.Text.Json;
using Tidings.Bench.Network;

namespace Tidings.Bench.Measurements;

/// <summary>One client of <see cref="Storm"/>: its channel, its place in it, and what it still waits for. Outlives its connections.</summary>
internal sealed class StormClient(int number, string token, string channel, ChannelOrder order)
{
    private const int LongestDelayMilliseconds = 30_000;
    private const int FirstDelayMilliseconds = 500;

    private int _failures;

    internal int Number => number;

    internal string Token => token;

    internal string Channel => channel;

    internal ChannelOrder Order => order;

    /// <summary>Every event that it received, in order.</summary>
    internal List<long> Received { get; } = [];

    /// <summary>Acknowledged events of its channel that it has not received.</summary>
    internal HashSet<long> Missing { get; } = [];

    internal bool IsSubscribed { get; set; }

    /// <summary>What the server said about the last subscription that named a position; null without one.</summary>
    internal bool? Recovered { get; private set; }

    /// <summary>When it was subscribed again and had everything, in the clock's ticks.</summary>
    internal long BackAt { get; set; }

    internal string? Position { get; private set; }

    internal byte[] Subscribe() => Encoding.UTF8.GetBytes(
        Position is null ? $$"""{"type":"subscribe","id":1,"channel":"{{channel}}"}""" : $$"""{"type":"subscribe","id":1,"channel":"{{channel}}","since":"{{Position}}"}""");

    /// <summary>As the client library does: full jitter over a limit that doubles.</summary>
    internal TimeSpan NextDelay()
    {
        var limit = Math.Min(LongestDelayMilliseconds, FirstDelayMilliseconds << Math.Min(_failures, 10));
        _failures++;
        return TimeSpan.FromMilliseconds(Random.Shared.NextDouble() * limit);
    }

    internal void OnSubscribed(JsonElement answer)
    {
        _failures = 0;
        IsSubscribed = true;
        Position = answer.GetProperty("position").GetString();
        Recovered = answer.TryGetProperty("recovered", out var recovered) ? recovered.GetBoolean() : null;
    }

    internal void OnEvent(ReadOnlySpan<byte> message)
    {
        var happened = Marker.Read(message);
        if (happened < 0)
            return;
        var key = "\"position\":\""u8;
        var rest = message[(message.IndexOf(key) + key.Length)..];
        Position = Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)'"')]);
        order.Check(Received.Count, happened);
        Received.Add(happened);
        Missing.Remove(happened);
    }
}
