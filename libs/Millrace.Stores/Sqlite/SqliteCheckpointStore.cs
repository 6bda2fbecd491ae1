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
            "SELECT offsets, state, saved_at, chunks FROM checkpoints " +
            "WHERE query = ?1 AND version = ?2 AND part = ?3",
            row => Read(session, key, row), key.Query, key.Version, key.Partition), ct);

    public ValueTask<bool> SaveAsync(CheckpointKey key, long epoch, Checkpoint checkpoint, CancellationToken ct)
    {
        var chunks = StateChunk.Cut(checkpoint.State);
        return database.WriteAsync(session =>
        {
            if (Epoch(session, key) > epoch) return false;
            var offsets = JsonSerializer.Serialize(new CheckpointOffsets(checkpoint.Inputs, checkpoint.Outputs, epoch));
            session.Run("INSERT OR REPLACE INTO checkpoints VALUES(?1, ?2, ?3, ?4, ?5, x'', ?6)", key.Query,
                key.Version, key.Partition, checkpoint.SavedAt.ToUnixTimeMilliseconds(), offsets,
                CheckpointChunks.Save(session, key, chunks));
            foreach (var input in checkpoint.Inputs) Cover(session, key, input);
            return true;
        }, ct);
    }

    public ValueTask<bool> AddMarkAsync(CheckpointKey key, long epoch, TimeMark mark, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (Epoch(session, key) > epoch) return false;
            var last = session.List(
                "SELECT topic, input_part, log_offset, arrival, number, NULL, id FROM marks WHERE query = ?1 " +
                "AND version = ?2 AND part = ?3 AND topic = ?4 AND input_part = ?5 ORDER BY id DESC LIMIT 1",
                row => (row.GetInt64(6), Mark(row)), key.Query, key.Version, key.Partition, mark.Input.Topic,
                mark.Input.Partition);
            if (last is [var (id, before)] && mark.Replaces(before))
            {
                session.Run("UPDATE marks SET arrival = max(arrival, ?2) WHERE id = ?1", id, mark.ArrivalMs);
                return true;
            }

            session.Run(
                "INSERT INTO marks(query, version, part, topic, input_part, log_offset, arrival) " +
                "VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7)", key.Query, key.Version, key.Partition, mark.Input.Topic,
                mark.Input.Partition, mark.Offset, mark.ArrivalMs);
            return true;
        }, ct);

    public ValueTask<LateOutcome> AddLateAsync(
        CheckpointKey key, long epoch, TopicPartition input, long offset, DeadLetter letter, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            if (Epoch(session, key) > epoch) return LateOutcome.Stale;
            var added = session.Run(
                "INSERT INTO marks(query, version, part, topic, input_part, log_offset, arrival, letter_id, letter, " +
                "number) SELECT ?1, ?2, ?3, ?4, ?5, ?6, 0, ?7, ?8, 1 + count(*) FROM marks WHERE query = ?1 " +
                "AND version = ?2 AND part = ?3 AND topic = ?4 AND input_part = ?5 AND number IS NOT NULL " +
                "ON CONFLICT DO NOTHING", key.Query, key.Version, key.Partition, input.Topic, input.Partition, offset,
                letter.Id, JsonSerializer.SerializeToUtf8Bytes(letter, ContractJson.Default.DeadLetter));
            return added == 1 ? LateOutcome.Added : LateOutcome.Known;
        }, ct);

    public ValueTask RefuseLateAsync(CheckpointKey key, string letterId, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            session.Run("UPDATE marks SET letter_id = NULL, letter = NULL WHERE query = ?1 AND version = ?2 " +
                "AND part = ?3 AND letter_id = ?4", key.Query, key.Version, key.Partition, letterId);
        }, ct);

    public ValueTask<IReadOnlyList<InputMark>> MarksAsync(CheckpointKey key, CancellationToken ct) =>
        database.ReadAsync<IReadOnlyList<InputMark>>(session => session.List(
            "SELECT topic, input_part, log_offset, arrival, number, letter FROM marks " +
            "WHERE query = ?1 AND version = ?2 AND part = ?3 AND covered = 0 ORDER BY id", Mark,
            key.Query, key.Version, key.Partition), ct);

    public ValueTask DeleteAsync(string query, int version, CancellationToken ct) =>
        database.WriteAsync(session =>
        {
            // The epoch is raised, not removed: an owner that is still at work must not be able to save again.
            session.Run("UPDATE epochs SET epoch = epoch + 1 WHERE query = ?1 AND version = ?2", query, version);
            session.Run("DELETE FROM checkpoints WHERE query = ?1 AND version = ?2", query, version);
            session.Run("DELETE FROM checkpoint_chunks WHERE query = ?1 AND version = ?2", query, version);
            session.Run("DELETE FROM marks WHERE query = ?1 AND version = ?2", query, version);
        }, ct);

    /// <summary>
    /// Lets go what the input has passed. Of a late letter the identity stays, so that it is taken once.
    /// </summary>
    private static void Cover(SqliteSession session, CheckpointKey key, PartitionOffset input)
    {
        const string Passed = "WHERE query = ?1 AND version = ?2 AND part = ?3 AND topic = ?4 AND input_part = ?5 " +
            "AND log_offset < ?6";
        session.Run($"DELETE FROM marks {Passed} AND number IS NULL", key.Query, key.Version, key.Partition,
            input.Partition.Topic, input.Partition.Partition, input.Offset);
        session.Run($"UPDATE marks SET covered = 1, letter = NULL {Passed} AND covered = 0", key.Query, key.Version,
            key.Partition, input.Partition.Topic, input.Partition.Partition, input.Offset);
    }

    private static InputMark Mark(SqliteDataReader row)
    {
        var (input, offset) = (new TopicPartition(row.GetString(0), row.GetInt32(1)), row.GetInt64(2));
        if (row.IsDBNull(4)) return new TimeMark(input, offset, row.GetInt64(3));
        var letter = row.IsDBNull(5)
            ? null
            : JsonSerializer.Deserialize(row.Bytes(5), ContractJson.Default.DeadLetter);
        return new LateMark(input, offset, row.GetInt32(4), letter);
    }

    private static long Epoch(SqliteSession session, CheckpointKey key) =>
        session.Scalar<long>("SELECT epoch FROM epochs WHERE query = ?1 AND version = ?2 AND part = ?3",
            key.Query, key.Version, key.Partition);

    private static Checkpoint Read(SqliteSession session, CheckpointKey key, SqliteDataReader row)
    {
        var offsets = JsonSerializer.Deserialize<CheckpointOffsets>(row.GetString(0))!;
        // One that was saved before states were cut has it whole.
        var state = row.IsDBNull(3) ? row.Bytes(1) : CheckpointChunks.Read(session, key, row.Bytes(3));
        return new Checkpoint(offsets.Inputs, offsets.Outputs, state, row.Time(2)) { Epoch = offsets.Epoch };
    }

    private sealed record CheckpointOffsets(
        IReadOnlyList<PartitionOffset> Inputs, IReadOnlyList<PartitionOffset> Outputs, long Epoch = 0);
}
