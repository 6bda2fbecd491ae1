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

        Assert.That(_away.ReadinessFor(isStored: true), Is.EqualTo(MemberReadiness.Keeps));
        Assert.That(inMemory.ReadinessFor(isStored: true), Is.EqualTo(MemberReadiness.Full));
    }

    [Test]
    public void It_is_full_until_something_leaves_its_queue()
    {
        _away.Refuse(100, _away.Freed);
        Assert.That(_away.ReadinessFor(isStored: true), Is.EqualTo(MemberReadiness.Full));

        _away.Free();
        Assert.That(_away.ReadinessFor(isStored: true), Is.EqualTo(MemberReadiness.Keeps));
    }

    [Test]
    public void What_had_no_room_says_nothing_of_what_is_smaller()
    {
        _away.Refuse(100, _away.Freed);
        _away.Refuse(200, _away.Freed);

        Assert.That(_away.ReadinessFor(isStored: true, 99), Is.EqualTo(MemberReadiness.Keeps));
        Assert.That(_away.ReadinessFor(isStored: true, 100), Is.EqualTo(MemberReadiness.Full));
    }

    [Test]
    public void What_has_left_while_the_queue_was_asked_counts()
    {
        var freed = _away.Freed;
        _away.Free();
        _away.Refuse(100, freed);

        Assert.That(_away.ReadinessFor(isStored: true), Is.EqualTo(MemberReadiness.Keeps));
    }

    [Test]
    public void One_that_is_away_has_no_room_for_what_is_not_stored() =>
        Assert.That(_away.ReadinessFor(isStored: false), Is.EqualTo(MemberReadiness.Full));

    [Test]
    public void What_it_took_says_that_there_is_room_for_as_much()
    {
        _away.Refuse(100, _away.Freed);
        _away.Took(99);
        Assert.That(_away.ReadinessFor(isStored: true, 100), Is.EqualTo(MemberReadiness.Full));

        _away.Took(100);
        Assert.That(_away.ReadinessFor(isStored: true, 100), Is.EqualTo(MemberReadiness.Keeps));
    }
}
