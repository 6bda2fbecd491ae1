namespace Millrace.Stores.Sqlite;

/// <summary>
/// Telemetry is counted, and its oldest enqueued time kept, for each block of row ids. So expiry finds the rows that
/// are due without an index on time, which would cost each write; and a count need not read them.
/// </summary>
internal sealed class TelemetryBlocks(SqliteSession session)
{
    private const int BlockRows = 4096;

    private long _block;
    private long _count;
    private long _enqueuedMin;

    /// <summary>A row was inserted. Row ids of one transaction rise.</summary>
    public void Add(long rowId, long enqueuedAtMs)
    {
        var block = rowId / BlockRows;
        if (block != _block) Flush();
        _block = block;
        _enqueuedMin = _count == 0 ? enqueuedAtMs : Math.Min(_enqueuedMin, enqueuedAtMs);
        _count++;
    }

    /// <summary>Keeps what was added; call it before the transaction ends.</summary>
    public void Flush()
    {
        if (_count == 0) return;
        session.Run("INSERT INTO telemetry_blocks VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE " +
            "SET count = count + ?2, enqueued_min = min(enqueued_min, ?3)", _block, _count, _enqueuedMin);
        _count = 0;
    }

    public static long Count(SqliteSession session) =>
        session.Scalar<long>("SELECT coalesce(sum(count), 0) FROM telemetry_blocks");

    /// <summary>Removes the rows of one block that were enqueued before the time; null when no block has any.</summary>
    public static int? Expire(SqliteSession session, long enqueuedBeforeMs)
    {
        var found = session.Scalar<object>(
            "SELECT block FROM telemetry_blocks WHERE enqueued_min < ?1 ORDER BY block LIMIT 1", enqueuedBeforeMs);
        if (found is not long block) return null;
        var (first, last) = (block * BlockRows, ((block + 1) * BlockRows) - 1);
        var removed = session.Run("DELETE FROM telemetry WHERE rowid BETWEEN ?1 AND ?2 AND enqueued_at < ?3",
            first, last, enqueuedBeforeMs);
        session.Run("DELETE FROM telemetry_blocks WHERE block = ?1", block);
        session.Run("INSERT INTO telemetry_blocks SELECT ?1, count(*), min(enqueued_at) FROM telemetry " +
            "WHERE rowid BETWEEN ?2 AND ?3 HAVING count(*) > 0", block, first, last);
        return removed;
    }
}
