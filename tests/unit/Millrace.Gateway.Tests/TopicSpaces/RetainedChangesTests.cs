using Millrace.Gateway.TopicSpaces;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class RetainedChangesTests
{
    private readonly RetainedChanges _changes = new();

    [Test]
    public void A_topic_is_being_changed_until_all_have_ended_who_change_it()
    {
        var first = _changes.Begin([("open", "a"), ("open", "b")]);
        var second = _changes.Begin([("open", "a")]);
        Assert.That(_changes.WhenOneEnds("open", ["c"]), Is.Null);
        Assert.That(_changes.WhenOneEnds("other", ["a"]), Is.Null);
        var ends = _changes.WhenOneEnds("open", ["c", "a"]);
        Assert.That(ends!.IsCompleted, Is.False);

        first.Dispose();
        Assert.That(ends.IsCompleted);
        Assert.That(_changes.WhenOneEnds("open", ["b"]), Is.Null);
        Assert.That(_changes.WhenOneEnds("open", ["a"]), Is.Not.Null);
        second.Dispose();
        Assert.That(_changes.WhenOneEnds("open", ["a"]), Is.Null);
    }
}
