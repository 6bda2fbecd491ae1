using Millrace.Gateway.TopicSpaces;
using Millrace.Mqtt.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.Tests.TopicSpaces;

public class SpaceMemberTests
{
    private SpaceMember _away = null!;

    [SetUp]
    public void MakeAway() => _away = new SpaceMember(new SessionKey("pump-1", "pump-1"), "session");

    [Test]
    public void One_that_is_away_keeps_messages_if_its_session_is_stored()
    {
        var inMemory = new SpaceMember(new SessionKey("pump-1", "pump-1"), "");

        Assert.That(_away.ReadinessFor(), Is.EqualTo(MemberReadiness.Keeps));
        Assert.That(inMemory.ReadinessFor(), Is.EqualTo(MemberReadiness.Full));
    }

    [Test]
    public void It_is_full_until_something_leaves_its_queue()
    {
        _away.Refuse(100, _away.Freed);
        Assert.That(_away.ReadinessFor(), Is.EqualTo(MemberReadiness.Full));

        _away.Free();
        Assert.That(_away.ReadinessFor(), Is.EqualTo(MemberReadiness.Keeps));
    }

    [Test]
    public void What_had_no_room_says_nothing_of_what_is_smaller()
    {
        _away.Refuse(100, _away.Freed);
        _away.Refuse(200, _away.Freed);

        Assert.That(_away.ReadinessFor(99), Is.EqualTo(MemberReadiness.Keeps));
        Assert.That(_away.ReadinessFor(100), Is.EqualTo(MemberReadiness.Full));
    }

    [Test]
    public void What_has_left_while_the_queue_was_asked_counts()
    {
        var freed = _away.Freed;
        _away.Free();
        _away.Refuse(100, freed);

        Assert.That(_away.ReadinessFor(), Is.EqualTo(MemberReadiness.Keeps));
    }
}
