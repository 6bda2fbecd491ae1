using Millrace.Gateway.TopicSpaces;
using Millrace.Stores.Retained;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class RetainedFeedTests
{
    private static readonly TopicSpace Space = new("open", true, new RetainedLimits(1, 1), EventLogTopic: null);

    private RetainedFeed _feed = null!;

    [SetUp]
    public void Make() => _feed = new RetainedFeed();

    [Test]
    public void What_was_delivered_since_it_was_asked_for_is_left_out()
    {
        Add("first");
        _feed.Delivering("a");
        Add("second");
        _feed.Delivering("b");

        Assert.That(TopicsToSend("first"), Is.EqualTo(new[] { "c" }));
        _feed.Sent();
        _feed.Remove("first");
        Assert.That(TopicsToSend("second"), Is.EqualTo(new[] { "a", "c" }));
    }

    [Test]
    public void A_delivery_waits_for_what_is_being_sent_of_its_topic()
    {
        Add("first");
        TopicsToSend("first");
        var sent = _feed.Delivering("a");

        Assert.That(sent!.IsCompleted, Is.False);
        Assert.That(_feed.Delivering("d"), Is.Null);
        _feed.Sent();
        Assert.That(sent.IsCompleted);
        Assert.That(_feed.Delivering("a"), Is.Null);
    }

    [Test]
    public void A_delivery_waits_also_when_the_filter_is_gone_meanwhile()
    {
        Add("first");
        TopicsToSend("first");
        _feed.Remove("first");
        var sent = _feed.Delivering("a");

        Assert.That(sent!.IsCompleted, Is.False);
        _feed.Sent();
        Assert.That(sent.IsCompleted);
    }

    [TestCase(1)]
    [TestCase(8_000)]
    public void Topics_that_take_too_much_are_forgotten_and_what_was_read_before_is_read_again(int length)
    {
        Add("first");
        var walk = Read("first");
        var bytes = 0L;
        for (var i = 0; bytes <= RetainedFeed.TopicBytesMax; i++)
        {
            var topic = $"{i}".PadLeft(length);
            _feed.Delivering(topic);
            _feed.Delivering(topic);
            bytes += RetainedFeed.TopicBytes + (topic.Length * sizeof(char));
            if (bytes > RetainedFeed.TopicBytesMax) continue;
            Assert.That(_feed.TrySend(walk));
            _feed.Sent();
        }

        Assert.That(_feed.TrySend(walk), Is.False);

        _feed.Reading(walk);
        Assert.That(_feed.TrySend(walk));
    }

    [Test]
    public void Nothing_more_is_sent_of_a_filter_that_is_gone_and_one_that_is_asked_for_again_begins_anew()
    {
        Add("first");
        var gone = Read("first");
        _feed.Remove("first");
        Assert.That(_feed.TrySend(gone) && gone.Left.Count == 0);
        _feed.Sent();
        Assert.That(_feed.TryStart(), Is.False);

        Add("first");
        Add("first");
        Assert.That(_feed.Next(), Is.Not.SameAs(gone));
        _feed.Remove(_feed.Next()!);
        Assert.That(_feed.Next(), Is.Null);
    }

    [Test]
    public void One_at_a_time_sends_until_nothing_is_left()
    {
        Add("first");
        Assert.That(_feed.TryStart());
        Assert.That(_feed.TryStart(), Is.False);
        _feed.Stop();
        Assert.That(_feed.TryStart());
        _feed.Remove("first");
        Assert.That(_feed.Next(), Is.Null);

        Add("second");
        Assert.That(_feed.TryStart());
    }

    private void Add(string filter) =>
        _feed.Add(new SpaceGrant(Space, new SessionSubscription(filter, 1, false, false, 0, 0)), () => { });

    private RetainedWalk Read(string filter)
    {
        var walk = _feed.Next()!;
        Assert.That(walk.Grant.Asked.Filter, Is.EqualTo(filter));
        _feed.Reading(walk);
        walk.Left = [.. new[] { "a", "b", "c" }.Select(topic => new RetainedMessage(
            "open", topic, 1, [], [1], DateTimeOffset.UnixEpoch, ExpiresAt: null))];
        return walk;
    }

    private List<string> TopicsToSend(string filter)
    {
        var walk = Read(filter);
        Assert.That(_feed.TrySend(walk));
        return walk.Left.ConvertAll(each => each.Topic);
    }
}
