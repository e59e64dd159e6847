using Shouldly;
using Tidings.Protocols.Admission;
using Tidings.Protocols.Tests.Support;
using Xunit;

namespace Tidings.Protocols.Tests.Admission;

public class MessageRateTests
{
    private readonly FakeClock _clock = new();

    [Fact]
    public void A_burst_is_let_through_and_what_follows_is_too_much()
    {
        var rate = new MessageRate(50, 100, _clock);

        for (var sent = 0; sent < 100; sent++) rate.Take().ShouldBe(RateVerdict.Within);

        rate.Take().ShouldBe(RateVerdict.Over);
    }

    [Fact]
    public void The_bucket_fills_with_time()
    {
        var rate = new MessageRate(50, 100, _clock);
        for (var sent = 0; sent < 100; sent++) rate.Take();

        _clock.Advance(TimeSpan.FromMilliseconds(20));

        rate.Take().ShouldBe(RateVerdict.Within);
        rate.Take().ShouldBe(RateVerdict.Over);
    }

    [Fact]
    public void Ten_seconds_on_end_are_too_long_although_some_messages_pass()
    {
        var rate = new MessageRate(50, 100, _clock);
        var verdicts = new List<RateVerdict>();
        for (var sent = 0; sent < 1300; sent++) // 100 a second
        {
            verdicts.Add(rate.Take());
            _clock.Advance(TimeSpan.FromMilliseconds(10));
        }

        var first = verdicts.IndexOf(RateVerdict.Over);
        var last = verdicts.IndexOf(RateVerdict.OverForLong);
        TimeSpan.FromMilliseconds((last - first) * 10).ShouldBeInRange(TimeSpan.FromSeconds(9.9), TimeSpan.FromSeconds(10.1));
    }

    [Fact]
    public void A_pause_begins_the_ten_seconds_anew()
    {
        var rate = new MessageRate(50, 100, _clock);
        for (var second = 0; second < 30; second++)
        {
            for (var sent = 0; sent < 300; sent++) rate.Take().ShouldNotBe(RateVerdict.OverForLong);
            _clock.Advance(TimeSpan.FromSeconds(3));
        }
    }
}
