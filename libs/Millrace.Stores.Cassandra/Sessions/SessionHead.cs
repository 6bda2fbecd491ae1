using System.Text.Json.Serialization;
using Millrace.Contracts;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Cassandra.Sessions;

/// <summary>A session as it is kept, without its subscriptions and messages. Times are in ms since 1970.</summary>
internal sealed record SessionHead
{
    public required string SessionId { get; init; }
    public required long Epoch { get; init; }
    public required string Node { get; init; }
    public bool IsConnected { get; init; } = true;
    public uint ExpirySeconds { get; init; }
    public long? ExpiresAt { get; init; }
    public InboundExchanges Inbound { get; init; } = InboundExchanges.None;
    public long SentSequence { get; init; }
    public long LastSequence { get; init; }

    /// <summary>No message before this one is left: a reader need not look there.</summary>
    public long FirstSequence { get; init; } = 1;
    public int Queued { get; init; }
    public long QueuedBytes { get; init; }

    /// <summary>A message that others may have by its share was queued at some time.</summary>
    public bool HadShared { get; init; }

    /// <summary>Of one that has ended and is somebody's: until when.</summary>
    public long? HeldUntil { get; init; }

    /// <summary>The last offset that came from each partition.</summary>
    public Dictionary<string, long> Sources { get; init; } = [];

    /// <summary>Outboxes from which messages came, and which may come again.</summary>
    public List<KnownOutbox> KnownOutboxes { get; init; } = [];

    /// <summary>What an older version remembers: the newest, without saying which may come again.</summary>
    public List<Guid> Outboxes { get; init; } = [];

    /// <summary>When somebody has to look whether it has expired, or is still its taker's.</summary>
    [JsonIgnore]
    public long? DueAt => HeldUntil ?? ExpiresAt;

    [JsonIgnore]
    public bool MayLeaveShared => HadShared && Queued > 0;

    [JsonIgnore]
    public DateTimeOffset? ExpiryTime =>
        ExpiresAt is { } ms ? DateTimeOffset.FromUnixTimeMilliseconds(ms) : null;

    public static string SourceOf(TopicPartition partition) => $"{partition.Topic}/{partition.Partition}";

    public bool Knows(OutboxStep step) =>
        KnownOutboxes.Any(one => one.Id == step.Id) || Outboxes.Contains(step.Id);

    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now.ToUnixTimeMilliseconds();

    /// <summary>
    /// It has ended, and is somebody's for a while. What a connection that it had has sent is not known: any of it.
    /// </summary>
    public SessionHead Hold(DateTimeOffset now) => this with
    {
        IsConnected = false,
        ExpirySeconds = 0,
        ExpiresAt = 0,
        HeldUntil = (now + StoredSession.HeldFor).ToUnixTimeMilliseconds(),
        SentSequence = IsConnected ? LastSequence : SentSequence,
    };

    public StoredSession Stored(SessionKey key, IReadOnlyList<SessionSubscription> subscriptions) => new(key,
        SessionId, Epoch, IsConnected, ExpirySeconds, ExpiryTime, subscriptions, Inbound, SentSequence, Queued)
    {
        HadShared = HadShared,
    };
}

/// <summary>A will as it is kept, under its connection's epoch.</summary>
/// <param name="HandOutAt">
/// Null while its connection is there; then when it is due, and of one that was handed out, when to do so again.
/// </param>
internal sealed record WillRow(
    string Client, long Epoch, StoredWill Will, string Node, long? HandOutAt = null, bool IsHandedOut = false)
{
    public bool IsConnected => HandOutAt is null;

    public bool IsWaiting => HandOutAt is not null && !IsHandedOut;

    public WillRow HandOut(DateTimeOffset now) => this with
    {
        IsHandedOut = true,
        HandOutAt = (now + DueWill.HandedOutFor).ToUnixTimeMilliseconds(),
    };

    public DueWill Due(string device) => new(new SessionKey(device, Client), Epoch, Will);
}
