using CsCheck;
using Millrace.Mqtt.Topics;
using Millrace.TestKit;

namespace Millrace.Mqtt.Tests.Topics;

[Category("Samples")]
public class TopicPatternTests
{
    [Test]
    public void It_matches_as_the_specification_says() =>
        Gen.Select(NaiveTopics.Filter, NaiveTopics.Topic).Sample((filter, topic) =>
            Pattern(filter).Matches(topic.Bytes()) == NaiveTopics.Matches(filter, topic), iter: Samples.Of(8_000));

    [TestCase("sport/tennis/player1/#", "sport/tennis/player1", true)]
    [TestCase("sport/#", "sport", true)]
    [TestCase("sport/+", "sport", false)]
    [TestCase("sport/+", "sport/", true)]
    [TestCase("+", "/finance", false)]
    [TestCase("/+", "/finance", true)]
    [TestCase("+/+", "/finance", true)]
    [TestCase("#", "$SYS/monitor", false)]
    [TestCase("+/monitor", "$SYS/monitor", false)]
    [TestCase("$SYS/#", "$SYS/monitor", true)]
    public void It_matches_the_specification_s_own_examples(string filter, string topic, bool matches) =>
        Assert.That(Pattern(filter).Matches(topic.Bytes()), Is.EqualTo(matches));

    /// <summary>The levels of a filter are few, so a topic that only one of two matches is among all topics.</summary>
    [Test]
    public void It_contains_another_exactly_when_it_matches_all_that_the_other_matches() =>
        Gen.Select(NaiveTopics.Filter, NaiveTopics.Filter).Sample((outer, inner) =>
            Pattern(outer).Contains(Pattern(inner)) == NaiveTopics.AllTopics.All(
                topic => !NaiveTopics.Matches(inner, topic) || NaiveTopics.Matches(outer, topic)), iter: 500);

    [Test]
    public void It_overlaps_another_exactly_when_both_match_some_topic() =>
        Gen.Select(NaiveTopics.Filter, NaiveTopics.Filter).Sample((one, other) =>
            Pattern(one).Overlaps(Pattern(other)) == NaiveTopics.AllTopics.Any(
                topic => NaiveTopics.Matches(one, topic) && NaiveTopics.Matches(other, topic)), iter: 500);

    [Test]
    public void What_is_bound_is_matched_literally_whatever_it_is()
    {
        foreach (var value in new[] { "+", "#", "a+b", "$x" })
        {
            var bound = Pattern("fleet/{id}/#").Bind("{id}"u8, value.Bytes());
            Assert.That(bound.Matches($"fleet/{value}/x".Bytes()), Is.True);
            Assert.That(bound.Matches("fleet/other/x"u8), Is.False);
            Assert.That(bound.Contains(Pattern("fleet/+/x")), Is.False);
            Assert.That(bound.Contains(Pattern("fleet/#")), Is.False);
        }

        Assert.That(Pattern("a/{id}").Bind("{id}"u8, null).Contains(Pattern("a/+")), Is.True);
        Assert.That(Pattern("a/x{id}").Bind("{id}"u8, null).Matches("a/b"u8), Is.False);
    }

    private static TopicPattern Pattern(string filter) => TopicPattern.Parse(filter.Bytes());
}
