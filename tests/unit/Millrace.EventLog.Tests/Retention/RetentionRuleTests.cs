using CsCheck;
using Millrace.EventLog.Retention;

namespace Millrace.EventLog.Tests.Retention;

public class RetentionRuleTests
{
    [Test]
    public void What_is_unwanted_goes_when_everyone_has_it() =>
        Assert.That(RetentionRule.TrimBefore(new RetentionView(50, 80, 0, [60, 70])), Is.EqualTo(50));

    [Test]
    public void Nothing_goes_past_those_who_must_have_every_record() =>
        Assert.That(RetentionRule.TrimBefore(new RetentionView(50, 30, 45, [])), Is.EqualTo(30));

    [Test]
    public void A_consumer_holds_what_it_has_not_read() =>
        Assert.That(RetentionRule.TrimBefore(new RetentionView(50, 80, 10, [60, 20])), Is.EqualTo(20));

    [Test]
    public void A_consumer_that_is_too_far_behind_is_passed_by() =>
        Assert.That(RetentionRule.TrimBefore(new RetentionView(50, 80, 40, [20])), Is.EqualTo(40));

    [Test]
    public void Neither_the_wanted_nor_the_needed_ever_goes() =>
        Gen.Select(Gen.Long[0, 100], Gen.Long[0, 100], Gen.Long[0, 100], Gen.Long[0, 100].List[0, 4])
            .Sample((unwanted, neverPast, overdue, consumers) =>
            {
                var trim = RetentionRule.TrimBefore(new RetentionView(unwanted, neverPast, overdue, consumers));
                return trim <= unwanted && trim <= neverPast && consumers.All(next => trim <= Math.Max(next, overdue));
            });

    [Test]
    public void Bytes_are_counted_from_the_newest_segment_back()
    {
        (long, long)[] segments = [(0, 100), (10, 100), (20, 100), (30, 5)];
        Assert.That(RetentionRule.OffsetOfBytes(segments, 400), Is.Zero);
        Assert.That(RetentionRule.OffsetOfBytes(segments, 205), Is.EqualTo(10));
        Assert.That(RetentionRule.OffsetOfBytes(segments, 105), Is.EqualTo(20));
        Assert.That(RetentionRule.OffsetOfBytes(segments, 104), Is.EqualTo(30));
        Assert.That(RetentionRule.OffsetOfBytes(segments, 1), Is.EqualTo(30), "the last segment stays");
    }
}
