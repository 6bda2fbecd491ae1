using Millrace.Contracts;

namespace Millrace.Stores.Sqlite;

/// <summary>How far each sink has come, kept in the database that its rows go to.</summary>
internal static class SinkPositions
{
    public static void Save(SqliteSession session, string sink, TopicPartition partition, SinkPosition position) =>
        session.Run("INSERT OR REPLACE INTO positions VALUES(?1, ?2, ?3, ?4, ?5)",
            sink, partition.Topic, partition.Partition, position.NextOffset, position.Metadata);

    public static ValueTask<SinkPosition?> FindAsync(
        SqliteDatabase database, string sink, TopicPartition partition, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            "SELECT next_offset, metadata FROM positions WHERE sink = ?1 AND topic = ?2 AND part = ?3",
            row => new SinkPosition(row.GetInt64(0), row.TextOrNull(1)), sink, partition.Topic,
            partition.Partition), ct);
}
