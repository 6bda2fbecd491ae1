using Millrace.Contracts;

namespace Millrace.Stores.Sqlite;

/// <summary>How far each sink has come, kept in the database that its rows go to. None goes back.</summary>
internal static class SinkPositions
{
    /// <summary>
    /// False, with nothing changed, when the sink is further already: whoever writes has lost the partition to another,
    /// and what it brings is there.
    /// </summary>
    public static bool TrySave(
        SqliteSession session, string sink, TopicPartition partition, SinkPosition position) =>
        session.Run("INSERT INTO positions VALUES(?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE SET " +
            "next_offset = ?4, metadata = ?5 WHERE next_offset <= ?4",
            sink, partition.Topic, partition.Partition, position.NextOffset, position.Metadata) > 0;

    public static ValueTask<SinkPosition?> FindAsync(
        SqliteDatabase database, string sink, TopicPartition partition, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            "SELECT next_offset, metadata FROM positions WHERE sink = ?1 AND topic = ?2 AND part = ?3",
            row => new SinkPosition(row.GetInt64(0), row.TextOrNull(1)), sink, partition.Topic,
            partition.Partition), ct);
}
