using Tidings.Bench.Hosting;
using Tidings.Bench.Network;
using Tidings.Bench.Results;

namespace Tidings.Bench.Measurements;

/// <summary>
/// From just before a POST's bytes are sent to the moment at which each subscriber's event has been read from its socket, and what the
/// subscribers add to the POST itself.
/// </summary>
internal sealed class Latency(Options options) : IMeasurement
{
    private readonly int _subscribers = options.Number("subscribers", 1000, 1, 20_000);
    private readonly int _rate = options.Number("rate", 20, 1, 500);
    private readonly TimeSpan _time = options.Seconds("seconds", 20, 1, 300);
    private readonly TimeSpan _warmUp = options.Seconds("warmup", 5, 0, 60);
    private readonly int _bytes = options.Number("bytes", 200, 16, 5000);
    private readonly string _channel = options.Choice("channel", "both", "creator", "feed", "both");

    public void Run(Rig rig)
    {
        using var api = new Api(rig.Loop, rig.Server.EndPoint);
        var (author, token) = api.Register("benchauthor");
        var tokens = Rig.Tokens(_subscribers);
        using var poster = new PacedPoster(rig, token, _bytes);

        if (_channel != "feed")
            Measure(rig, poster, "creator", tokens, _ => $"creator:{author}");
        if (_channel == "creator")
            return;

        Console.WriteLine($"  {_subscribers:N0} users follow the author …");
        foreach (var follower in tokens)
            api.Expect(204, "POST", $"/api/creators/{author}/follow", follower);
        Measure(rig, poster, "feed", tokens, number => $"feed:{Rig.User(number)}");
    }

    private void Measure(Rig rig, PacedPoster poster, string kind, string[] tokens, Func<int, string> channel)
    {
        var report = new Report("latency", $"{_subscribers:N0} subscribers of {kind}:, {_rate} posts/s for {_time.TotalSeconds} s");
        var deliveries = new Samples((int)(_subscribers * _rate * _time.TotalSeconds));
        var first = poster.Sent;
        var order = new ChannelOrder(first);
        long measuredFrom = long.MaxValue, arrived = 0;

        using var fleet = new Fleet(rig.Loop, rig.Server.EndPoint, new TidingsDialect(number => tokens[number], channel), (connection, message, at) =>
        {
            var number = Marker.Read(message);
            if (number < 0)
                return;
            order.Check(connection.Received++, number);
            arrived++;
            if (number >= measuredFrom)
                deliveries.Add(at - poster.SentAt(number));
        });
        fleet.Open(_subscribers, TimeSpan.FromSeconds(60));

        poster.Run(Math.Max(_rate, 100), _warmUp);
        rig.Loop.RunFor(TimeSpan.FromSeconds(1));
        Rig.CollectGarbage();
        measuredFrom = poster.Sent;
        var rounds = rig.Loop.Rounds = new Samples(100_000);
        var usage = Usage.Start(rig.Server);
        var with = poster.Run(_rate, _time);
        var late = poster.Late;
        var expected = (long)_subscribers * (poster.Sent - first);
        rig.Loop.RunUntil(() => arrived >= expected, TimeSpan.FromSeconds(5));
        rig.Loop.Rounds = null;
        AddDeliveries(report, deliveries, with.Count, order.Faults);
        usage.Stop(report);
        report.Add("generator's round p99", rounds.Percentile(99), "ms", "how late a read may be because of the generator");
        report.Add("generator's round max", rounds.Percentile(100), "ms");

        fleet.Dispose();
        rig.Loop.RunFor(TimeSpan.FromSeconds(2));
        Rig.CollectGarbage();
        var without = poster.Run(_rate, _time);
        report.AddLatencies("POST with subscribers", with);
        report.AddLatencies("POST without", without);
        report.AddBelow("subscribers add to POST p50", with.Percentile(50) - without.Percentile(50), "ms", goal: 1);
        report.Add("posts sent late", late + poster.Late, "", "no idle connection at their time");
        report.Publish();
    }

    private void AddDeliveries(Report report, Samples deliveries, int posts, long faults)
    {
        var expected = (long)_subscribers * posts;
        report.Add("deliveries", deliveries.Count, "", deliveries.Count == expected ? "all" : $"OF {expected:N0}");
        report.Add("lost, repeated or out of order", faults, "", faults == 0 ? "" : "A FAULT, not a speed");
        report.AddBelow("POST sent to event read p50", deliveries.Percentile(50), "ms", goal: 10, aim: 5);
        report.Add("POST sent to event read p90", deliveries.Percentile(90), "ms");
        report.AddBelow("POST sent to event read p99", deliveries.Percentile(99), "ms", goal: 50, aim: 25);
        report.Add("POST sent to event read max", deliveries.Percentile(100), "ms");
    }
}
