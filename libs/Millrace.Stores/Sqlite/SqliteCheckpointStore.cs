using System.Text.Json;
using Microsoft.Data.Sqlite;
using Millrace.Contracts;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Sqlite;

internal sealed class SqliteCheckpointStore(SqliteDatabase database) : ICheckpointStore
{
    public ValueTask<long> RaiseEpochAsync(CheckpointKey key, CancellationToken ct) =>
        database.WriteAsync(session => session.Scalar<long>(
            "INSERT INTO epochs VALUES(?1, ?2, ?3, 1) ON CONFLICT DO UPDATE SET epoch = epoch + 1 RETURNING epoch",
            key.Query, key.Version, key.Partition), ct);

    public ValueTask<Checkpoint?> FindAsync(CheckpointKey key, CancellationToken ct) =>
        database.ReadAsync(session => session.First(
            "SELECT offsets, state, saved_at FROM checkpoints WHERE query = ?1 AND version = ?2 AND part = ?3",
            Read, key.Query, key.Version, key.Partition), ct);

    public ValueTask<bool> SaveAsync(CheckpointKey key, long epoch, Checkpoint checkpoint, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (Epoch(session, key) > epoch) return false;
            var offsets = JsonSerializer.Serialize(new CheckpointOffsets(checkpoint.Inputs, checkpoint.Outputs));
            session.Run("INSERT OR REPLACE INTO checkpoints VALUES(?1, ?2, ?3, ?4, ?5, ?6)", key.Query, key.Version,
                key.Partition, checkpoint.SavedAt.ToUnixTimeMilliseconds(), offsets, checkpoint.State);
            foreach (var input in checkpoint.Inputs)
            {
                session.Run("DELETE FROM marks WHERE query = ?1 AND version = ?2 AND part = ?3 AND topic = ?4 " +
                    "AND input_part = ?5 AND log_offset < ?6", key.Query, key.Version, key.Partition,
                    input.Partition.Topic, input.Partition.Partition, input.Offset);
            }

            return true;
        }, ct);

    public ValueTask<bool> AddMarkAsync(CheckpointKey key, long epoch, TimeMark mark, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (Epoch(session, key) > epoch) return false;
            session.Run(
                "INSERT INTO marks(query, version, part, topic, input_part, log_offset, arrival) " +
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", key.Query, key.Version, key.Partition, mark.Input.Topic,
                mark.Input.Partition, mark.Offset, mark.ArrivalMs);
            return true;
        }, ct);

    public ValueTask<IReadOnlyList<TimeMark>> MarksAsync(CheckpointKey key, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<TimeMark>>(session => session.List(
            "SELECT topic, input_part, log_offset, arrival FROM marks " +
            "WHERE query = ?1 AND version = ?2 AND part = ?3 ORDER BY id",
            row => new TimeMark(new TopicPartition(row.GetString(0), row.GetInt32(1)), row.GetInt64(2),
                row.GetInt64(3)),
            key.Query, key.Version, key.Partition), ct);

    public ValueTask DeleteAsync(string query, int version, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            // The epoch is raised, not removed: an owner that is still at work must not be able to save again.
            session.Run("UPDATE epochs SET epoch = epoch + 1 WHERE query = ?1 AND version = ?2", query, version);
            session.Run("DELETE FROM checkpoints WHERE query = ?1 AND version = ?2", query, version);
            session.Run("DELETE FROM marks WHERE query = ?1 AND version = ?2", query, version);
        }, ct);

    private static long Epoch(SqliteSession session, CheckpointKey key) =>
        session.Scalar<long>("SELECT epoch FROM epochs WHERE query = ?1 AND version = ?2 AND part = ?3",
            key.Query, key.Version, key.Partition);

    private static Checkpoint Read(SqliteDataReader row)
    {
        var offsets = JsonSerializer.Deserialize<CheckpointOffsets>(row.GetString(0))!;
        return new Checkpoint(offsets.Inputs, offsets.Outputs, row.Bytes(1), row.Time(2));
    }

    private sealed record CheckpointOffsets(
        IReadOnlyList<PartitionOffset> Inputs, IReadOnlyList<PartitionOffset> Outputs);
}
