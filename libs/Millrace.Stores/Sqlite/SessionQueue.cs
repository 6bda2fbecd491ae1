using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>One session's queue while messages are added to it in one transaction.</summary>
internal sealed class SessionQueue
{
    private readonly SqliteSession _session;
    private readonly long _nowMs;
    private readonly long _id;
    private readonly long _neverSentAfter;
    private readonly Dictionary<TopicPartition, long> _sources = [];
    private long _lastSequence;
    private long _count;
    private long _bytes;
    private bool _hasShared;

    private SessionQueue(SqliteSession session, long nowMs, long[] columns)
    {
        (_session, _nowMs) = (session, nowMs);
        (_id, _lastSequence, _count, _bytes) = (columns[0], columns[3], columns[4], columns[5]);

        // What a connection has sent so far is not known here.
        _neverSentAfter = columns[1] != 0 ? long.MaxValue : columns[2];
    }

    /// <summary>Messages that were removed to make room.</summary>
    public int ExpiredCount { get; private set; }

    /// <summary>Null when there is no such session, or it has expired.</summary>
    public static SessionQueue? Find(SqliteSession session, SessionKey key, DateTimeOffset now)
    {
        var nowMs = now.ToUnixTimeMilliseconds();
        var columns = session.First("SELECT id, connected, sent_sequence, last_sequence, queued, queued_bytes " +
            "FROM sessions WHERE device = ?1 AND client = ?2 AND coalesce(expires_at > ?3, 1)",
            row => Enumerable.Range(0, 6).Select(row.GetInt64).ToArray(), key.DeviceId, key.ClientId, nowMs);
        return columns is null ? null : new SessionQueue(session, nowMs, columns);
    }

    public EnqueueResult Add(OutboundMessage message, QueueLimits limits)
    {
        if (message.Source is { } source && IsKnown(source)) return new EnqueueResult(EnqueueOutcome.Known, 0);
        var bytes = Encoding.UTF8.GetByteCount(message.Topic) + message.Properties.Length + message.Payload.Length;
        if (!HasRoom(bytes, limits))
        {
            RemoveExpired();
            if (!HasRoom(bytes, limits)) return new EnqueueResult(EnqueueOutcome.Full, 0);
        }

        if (message.Source is { } queued) _sources[queued.Partition] = queued.Offset;
        (_count, _bytes, _lastSequence) = (_count + 1, _bytes + bytes, _lastSequence + 1);
        _hasShared |= message.Share is not null;
        Insert(message, bytes);
        return new EnqueueResult(EnqueueOutcome.Queued, _lastSequence);
    }

    /// <summary>Keeps what was counted; call it before the transaction ends.</summary>
    public void Save()
    {
        _session.Run("UPDATE sessions SET last_sequence = ?2, queued = ?3, queued_bytes = ?4, " +
            "had_shared = max(had_shared, ?5) WHERE id = ?1", _id, _lastSequence, _count, _bytes, _hasShared);
        foreach (var (partition, offset) in _sources)
        {
            _session.Run("INSERT OR REPLACE INTO session_sources VALUES(?1, ?2, ?3, ?4)",
                _id, partition.Topic, partition.Partition, offset);
        }
    }

    public static uint[] ReadIds(string text) => text.Length == 0
        ? []
        : [.. text.Split(' ').Select(id => uint.Parse(id, CultureInfo.InvariantCulture))];

    private bool HasRoom(int bytes, QueueLimits limits) =>
        _count < limits.MessagesMax && _bytes + bytes <= limits.BytesMax;

    private bool IsKnown(PartitionOffset source)
    {
        if (!_sources.TryGetValue(source.Partition, out var last))
        {
            last = _session.Scalar<long?>("SELECT log_offset FROM session_sources WHERE session = ?1 AND topic = ?2 " +
                "AND part = ?3", _id, source.Partition.Topic, source.Partition.Partition) ?? -1;
        }

        return source.Offset <= last;
    }

    private void Insert(OutboundMessage message, int bytes) => _session.Run(
        "INSERT INTO session_messages(session, sequence, qos, retain, received, expires_at, bytes, subscriptions, " +
        "topic, properties, payload, share) VALUES(?1, ?2, ?3, ?4, 0, ?5, ?6, ?7, ?8, ?9, ?10, ?11)", _id,
        _lastSequence, message.Qos, message.Retain, message.ExpiresAt?.ToUnixTimeMilliseconds(), bytes,
        string.Join(' ', message.SubscriptionIds), message.Topic, message.Properties, message.Payload,
        message.Share);

    /// <summary>Not those that may have been sent: the device may hold their packet ids.</summary>
    private void RemoveExpired()
    {
        var removed = _session.List("DELETE FROM session_messages WHERE session = ?1 AND sequence > ?2 " +
            "AND expires_at <= ?3 RETURNING bytes", row => row.GetInt64(0), _id, _neverSentAfter, _nowMs);
        _count -= removed.Count;
        _bytes -= removed.Sum();
        ExpiredCount += removed.Count;
    }
}
