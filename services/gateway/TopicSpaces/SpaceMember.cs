using Millrace.Gateway.Mqtt;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>A session that subscribes in topic spaces.</summary>
/// <param name="sessionId">Of a stored session; empty: it ends with its connection.</param>
internal sealed class SpaceMember(SessionKey key, string sessionId)
{
    private volatile MqttConnection? _connection;
    private volatile bool _isFull;

    public SessionKey Key => key;

    public string SessionId => sessionId;

    public bool IsStored => sessionId.Length > 0;

    /// <summary>Null while the device is away.</summary>
    public MqttConnection? Connection
    {
        get => _connection;
        set => _connection = value;
    }

    /// <summary>Its queue had no room lately, and nothing has left it since.</summary>
    public bool IsFull
    {
        get => _isFull;
        set => _isFull = value;
    }

    /// <summary>By filter; for the table of members, under its lock.</summary>
    public Dictionary<string, SpaceSubscription> Subscriptions { get; } = [];
}

/// <summary>What a session subscribes to in one space. One for each filter; what is asked may change.</summary>
internal sealed class SpaceSubscription(SpaceMember member, TopicSpace space, SessionSubscription asked)
{
    private volatile SessionSubscription _asked = asked;

    public SpaceMember Member => member;

    public TopicSpace Space => space;

    public SessionSubscription Asked
    {
        get => _asked;
        set => _asked = value;
    }

    public bool IsShared { get; } = asked.Filter.StartsWith("$share/", StringComparison.Ordinal);
}

/// <summary>A subscription and the space that grants it.</summary>
internal readonly record struct SpaceGrant(TopicSpace Space, SessionSubscription Asked);
