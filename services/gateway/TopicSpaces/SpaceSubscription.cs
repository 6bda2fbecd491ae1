using Millrace.Mqtt.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>What a session subscribes to in one space. One for each filter; what is asked may change.</summary>
internal sealed class SpaceSubscription(SpaceMember member, TopicSpace space, SessionSubscription asked)
{
    private volatile Wanted _wanted = Wanted.By(asked);
    private volatile bool _noLocal = asked.NoLocal;

    public SpaceMember Member => member;

    public TopicSpace Space => space;

    public string Filter { get; } = asked.Filter;

    public Wanted Wanted => _wanted;

    /// <summary>For a message of any size and QoS.</summary>
    public MemberReadiness Readiness => member.ReadinessFor(isStored: _wanted.Qos > 0);

    /// <summary>What the session itself publishes is not for it.</summary>
    public bool NoLocal => _noLocal;

    public void Change(SessionSubscription asked)
    {
        _wanted = Wanted.By(asked);
        _noLocal = asked.NoLocal;
    }
}

/// <summary>A subscription and the space that grants it.</summary>
internal readonly record struct SpaceGrant(TopicSpace Space, SessionSubscription Asked);
