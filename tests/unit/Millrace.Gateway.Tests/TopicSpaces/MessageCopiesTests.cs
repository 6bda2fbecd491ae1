using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Retained;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class MessageCopiesTests
{
    private static readonly TopicSpace Space = new("open", true, new RetainedLimits(1, 1), EventLogTopic: null);
    private static readonly SpacePublish Message = new(Space, "a"u8.ToArray(), 1, 7, true, [], [1], ExpiresAt: null);

    [Test]
    public void Copies_that_are_alike_are_one([Values(0, 1, 2)] int qos, [Values] bool retain, [Values] bool hasIds)
    {
        var copies = new MessageCopies(Message);
        var copy = copies.Of(Ask());

        Assert.That(copies.Of(Ask()), Is.SameAs(copy));
        Assert.That((copy.Topic, copy.Qos, copy.Retain), Is.EqualTo(("a", Math.Min(qos, 1), retain)));
        Assert.That(copy.SubscriptionIds, Is.EqualTo(hasIds ? new[] { 3u, 5u } : []));

        Wanted Ask() => new(qos, retain, hasIds ? [3, 5] : []);
    }

    [Test]
    public void Copies_for_other_identifiers_are_others()
    {
        var copies = new MessageCopies(Message);

        Assert.That(copies.Of(new Wanted(1, false, [3])).SubscriptionIds, Is.EqualTo(new[] { 3u }));
        Assert.That(copies.Of(new Wanted(1, false, [5])).SubscriptionIds, Is.EqualTo(new[] { 5u }));
        Assert.That(copies.Of(new Wanted(0, false, [5])).Qos, Is.Zero);
    }

    [Test]
    public void Subscriptions_ask_together_for_the_most()
    {
        var both = new Wanted(0, true, [3]).And(new Wanted(2, false, [5]));

        Assert.That(both, Is.EqualTo(new Wanted(2, true, [3, 5])));
    }
}
