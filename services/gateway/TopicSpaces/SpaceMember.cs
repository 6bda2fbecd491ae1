using Millrace.Gateway.Mqtt;
using Millrace.Mqtt.Topics;
using Millrace.Stores.Sessions;

namespace Millrace.Gateway.TopicSpaces;

/// <summary>A session that subscribes in topic spaces.</summary>
/// <param name="sessionId">Of a stored session; empty: it ends with its connection.</param>
internal sealed class SpaceMember(SessionKey key, string sessionId)
{
    private volatile MqttConnection? _connection;
    private volatile RetainedFeed? _retained;
    private volatile Refusal? _refusal;
    private long _freed;

    public SessionKey Key => key;

    public string SessionId => sessionId;

    public bool IsStored => sessionId.Length > 0;

    /// <summary>Null while the device is away.</summary>
    public MqttConnection? Connection
    {
        get => _connection;
        set => _connection = value;
    }

    /// <summary>What is retained on its way to it; null before it asks for any.</summary>
    public RetainedFeed? Retained => _retained;

    /// <summary>Counts up when something has left its stored queue.</summary>
    public long Freed => Volatile.Read(ref _freed);

    /// <summary>By filter; for the table of members, under its lock.</summary>
    public Dictionary<string, SpaceSubscription> Subscriptions { get; } = [];

    /// <summary>For the table of members, under its lock.</summary>
    public RetainedFeed FeedRetained() => _retained ??= new RetainedFeed();

    /// <summary>For a message that is not stored, or of so many bytes; without a number, for one of any size.</summary>
    public MemberReadiness ReadinessFor(bool isStored, long bytes = long.MaxValue)
    {
        var isKept = isStored && IsStored;
        if (isKept && !HasRoomFor(bytes)) return MemberReadiness.Full;
        if (Connection is { TakesMore: true }) return MemberReadiness.Ready;
        return isKept ? MemberReadiness.Keeps : MemberReadiness.Full;
    }

    /// <summary>Something has left its stored queue.</summary>
    public void Free() => Interlocked.Increment(ref _freed);

    /// <summary>
    /// The stored queue had no room for so many bytes. It has none until something leaves it, or expires in it: that
    /// only the store knows.
    /// </summary>
    /// <param name="freed">
    /// As <see cref="Freed"/> was before the queue was asked: what has left it since may have made room.
    /// </param>
    public void Refuse(long bytes, long freed)
    {
        if (HasRoomFor(bytes)) _refusal = new Refusal(bytes, freed);
    }

    /// <summary>The stored queue had room for so many bytes.</summary>
    public void Took(long bytes)
    {
        if (!HasRoomFor(bytes)) _refusal = null;
    }

    private bool HasRoomFor(long bytes) =>
        _refusal is not { } refusal || refusal.Freed != Freed || bytes < refusal.Bytes;

    private sealed record Refusal(long Bytes, long Freed);
}
