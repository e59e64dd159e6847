using Tidings.Testing.Checks;

namespace Tidings.Faults.Tests.Harness;

/// <summary>A checker that cannot fail shows nothing: each broken promise, seeded into a good run, is found.</summary>
public sealed class CheckerTests
{
    private const string Channel = "creator:1";
    private const string Reader = "reader";

    [Fact]
    public void A_good_run_is_good() => Violations(new Run()).ShouldBeEmpty();

    [Fact]
    public void A_post_whose_outcome_stayed_unknown_may_be_there_or_not()
    {
        Violations(new Run { Unanswered = 3 }).ShouldBeEmpty();
        Violations(new Run { Unanswered = 3, NotStored = 3, NotInHistory = 3, NotReceived = 3 }).ShouldBeEmpty();
    }

    [Fact]
    public void An_acknowledged_post_that_is_not_in_the_database_is_found() => Violations(new Run { NotStored = 3 }).ShouldContain("I1");

    [Fact]
    public void A_stored_post_without_an_event_is_found() => Violations(new Run { NotInHistory = 3, NotReceived = 3 }).ShouldBe(["I1"]);

    [Fact]
    public void A_silent_gap_is_found() => Violations(new Run { NotReceived = 3 }).ShouldBe(["I2"]);

    [Fact]
    public void A_gap_at_the_end_is_found() => Violations(new Run { NotReceived = Run.Posts - 1 }).ShouldBe(["I1"]);

    [Fact]
    public void A_gap_that_was_told_is_none() => Violations(new Run { NotReceived = 3, ToldBefore = 4 }).ShouldBeEmpty();

    [Fact]
    public void A_gap_that_was_told_somewhere_else_is_found() => Violations(new Run { NotReceived = 3, ToldBefore = 7 }).ShouldBe(["I2"]);

    [Fact]
    public void Another_order_is_found() => Violations(new Run { Swapped = 3 }).ShouldContain("I3");

    [Fact]
    public void An_event_that_came_twice_is_found() => Violations(new Run { ReceivedTwice = 3 }).ShouldContain("I4");

    [Fact]
    public void Two_events_for_one_post_are_found() => Violations(new Run { PublishedTwice = 3 }).ShouldContain("I4");

    [Fact]
    public void Two_posts_for_one_key_are_found() => Violations(new Run { StoredTwice = 3 }).ShouldContain("I7");

    [Fact]
    public void Two_answers_to_one_key_are_found() => Violations(new Run { AnsweredTwice = 3 }).ShouldContain("I7");

    [Fact]
    public void A_post_that_nobody_asked_for_is_found() => Violations(new Run { NeverAsked = 3 }).ShouldBe(["truth"]);

    [Fact]
    public void An_event_that_the_history_does_not_have_is_found() => Violations(new Run { MadeUp = 3 }).ShouldContain("truth");

    [Fact]
    public void The_verdict_is_an_exception_that_says_what_was_broken() =>
        Should.Throw<BrokenPromiseException>(() => Checker.Verify(new Run { NotReceived = 3 }.ToLog())).Message.ShouldContain("key-3");

    private static List<string> Violations(Run run) => [.. Checker.Check(run.ToLog()).Select(violation => violation.Invariant).Distinct()];

    /// <summary>Ten posts, one reader; each property names the post at which one thing goes wrong.</summary>
    private sealed class Run
    {
        public const int Posts = 10;
        private const int Nowhere = -1;

        public int Unanswered { get; init; } = Nowhere;

        public int NotStored { get; init; } = Nowhere;

        public int NotInHistory { get; init; } = Nowhere;

        public int NotReceived { get; init; } = Nowhere;

        public int ToldBefore { get; init; } = Nowhere;

        public int Swapped { get; init; } = Nowhere;

        public int ReceivedTwice { get; init; } = Nowhere;

        public int PublishedTwice { get; init; } = Nowhere;

        public int StoredTwice { get; init; } = Nowhere;

        public int AnsweredTwice { get; init; } = Nowhere;

        public int NeverAsked { get; init; } = Nowhere;

        public int MadeUp { get; init; } = Nowhere;

        public OperationLog ToLog()
        {
            var log = new OperationLog();
            var history = new List<(string, string?)>();
            var order = Enumerable.Range(0, Posts).ToArray();
            if (Swapped >= 0) (order[Swapped], order[Swapped + 1]) = (order[Swapped + 1], order[Swapped]);
            log.Joined(Reader, Channel);

            for (var post = 0; post < Posts; post++)
            {
                var (key, id) = ($"key-{post}", $"post-{post}");
                if (post != NeverAsked) log.Attempted(key);
                if (post != NeverAsked && post != Unanswered) log.Acknowledged(key, id);
                if (post == AnsweredTwice) log.Acknowledged(key, "another");
                if (post != NotStored) log.Stored(key, id);
                if (post == StoredTwice) log.Stored(key, "another");
                if (post != NotInHistory) history.Add(($"event-{post}", key));
                if (post == PublishedTwice) history.Add(("another", key));
            }

            foreach (var post in order)
            {
                if (post == ToldBefore) log.NotRecovered(Reader, Channel);
                if (post != NotReceived) log.Received(Reader, Channel, $"event-{post}", $"key-{post}");
                if (post == ReceivedTwice) log.Received(Reader, Channel, $"event-{post}", $"key-{post}");
                if (post == PublishedTwice) log.Received(Reader, Channel, "another", $"key-{post}");
                if (post == MadeUp) log.Received(Reader, Channel, "never-was", null);
            }

            log.History(Channel, history);
            return log;
        }
    }
}
