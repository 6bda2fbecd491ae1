using Microsoft.Data.Sqlite;
using Millrace.Stores.Sessions;

namespace Millrace.Stores.Sqlite;

/// <summary>What waits for the device.</summary>
internal sealed partial class SqliteSessionStore
{
    public async ValueTask<IReadOnlyList<EnqueueResult>> EnqueueAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, CancellationToken ct)
    {
        var (results, expired) = await database.WriteAsync(
            session => Enqueue(session, messages, now), ct);
        CountExpired(expired);
        return results;
    }

    public async ValueTask<IReadOnlyList<EnqueueResult>?> EnqueueOnceAsync(
        IReadOnlyList<SessionMessage> messages, DateTimeOffset now, SessionKey sender, long epoch,
        InboundExchanges inbound, CancellationToken ct)
    {
        var (results, expired) = await database.WriteAsync<(IReadOnlyList<EnqueueResult>?, int)>(
            session => SaveInbound(session, sender, epoch, inbound)
                ? Enqueue(session, messages, now)
                : (null, 0), ct);
        CountExpired(expired);
        return results;
    }

    public ValueTask<IReadOnlyList<QueuedMessage>> QueueAsync(
        SessionKey key, long afterSequence, int max, long bytesMax, CancellationToken ct)
    {
        // SQLite would take a negative limit for none.
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(max);
        return database.ReadAsync<IReadOnlyList<QueuedMessage>>(session =>
        {
            var bytes = 0L;
            return session.ListUntil("SELECT sequence, qos, retain, received, m.expires_at, subscriptions, topic, " +
                "properties, payload, bytes, share FROM session_messages m JOIN sessions s ON s.id = m.session " +
                "WHERE device = ?1 AND client = ?2 AND sequence > ?3 ORDER BY sequence LIMIT ?4",
                row =>
                {
                    bytes += row.GetInt64(9);
                    return Read(row);
                }, _ => bytes >= bytesMax, key.DeviceId, key.ClientId, afterSequence, max);
        }, ct);
    }

    public ValueTask<bool> RemoveAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct) =>
        OwnedAsync(key, epoch, (session, id) =>
        {
            var (count, bytes) = (0, 0L);
            foreach (var sequence in sequences)
            {
                var removed = session.List("DELETE FROM session_messages WHERE session = ?1 AND sequence = ?2 " +
                    "RETURNING bytes", row => row.GetInt64(0), id, sequence);
                count += removed.Count;
                bytes += removed.Sum();
            }

            session.Run("UPDATE sessions SET queued = queued - ?2, queued_bytes = queued_bytes - ?3 WHERE id = ?1",
                id, count, bytes);
        }, ct);

    public ValueTask<bool> MarkReceivedAsync(
        SessionKey key, long epoch, IReadOnlyList<long> sequences, CancellationToken ct) =>
        OwnedAsync(key, epoch, (session, id) =>
        {
            var freed = 0L;
            foreach (var sequence in sequences)
            {
                freed += session.Scalar<long>("SELECT length(properties) + length(payload) FROM session_messages " +
                    "WHERE session = ?1 AND sequence = ?2", id, sequence);
                session.Run("UPDATE session_messages SET received = 1, bytes = bytes - length(properties) - " +
                    "length(payload), properties = x'', payload = x'' WHERE session = ?1 AND sequence = ?2",
                    id, sequence);
            }

            session.Run("UPDATE sessions SET queued_bytes = queued_bytes - ?2 WHERE id = ?1", id, freed);
        }, ct);

    private static (IReadOnlyList<EnqueueResult> Results, int Expired) Enqueue(
        SqliteSession session, IReadOnlyList<SessionMessage> messages, DateTimeOffset now)
    {
        var queues = new Dictionary<SessionKey, SessionQueue?>();
        var results = new EnqueueResult[messages.Count];
        for (var i = 0; i < results.Length; i++)
        {
            var (key, message, limits) = messages[i];
            if (!queues.TryGetValue(key, out var queue))
                queues.Add(key, queue = SessionQueue.Find(session, key, now));
            results[i] = queue?.Add(message, limits) ?? new EnqueueResult(EnqueueOutcome.NoSession, 0);
        }

        foreach (var queue in queues.Values) queue?.Save();
        return (results, queues.Values.Sum(queue => queue?.ExpiredCount ?? 0));
    }

    private static void CountExpired(int count)
    {
        if (count > 0)
            StoreMetrics.Expired.Add(count, new KeyValuePair<string, object?>("kind", "session-messages"));
    }

    private static QueuedMessage Read(SqliteDataReader row) => new(row.GetInt64(0),
        new OutboundMessage(row.GetString(6), row.GetInt32(1), row.GetBoolean(2), row.Bytes(7), row.Bytes(8),
            row.TimeOrNull(4), Source: null, SessionQueue.ReadIds(row.GetString(5)))
        {
            Share = row.IsDBNull(10) ? null : row.GetString(10),
        }, row.GetBoolean(3));
}
