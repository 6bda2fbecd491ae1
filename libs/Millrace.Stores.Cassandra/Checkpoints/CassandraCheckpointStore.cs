using System.Text.Json;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>
/// A key's epoch, pointer and marks lie in one partition and are changed by compare-and-set alone. The state that the
/// pointer names lies elsewhere, in chunks.
/// </summary>
internal sealed partial class CassandraCheckpointStore(CassandraDatabase database) : ICheckpointStore
{
    private const string Key = "query = ? AND version = ? AND part = ?";
    private const int ReadsMax = 5;

    // What an owner left that died before its first save, some of them in a row.
    private const int OwnersCleanedMax = 64;

    private static readonly StoreStatement InsertPart =
        new("INSERT INTO checkpoint_parts(query, version, part) VALUES(?, ?, ?)");
    private static readonly StoreStatement SelectParts =
        new("SELECT part FROM checkpoint_parts WHERE query = ? AND version = ?");
    private static readonly StoreStatement SelectHead =
        new($"SELECT {CheckpointHead.Fields} FROM checkpoints WHERE {Key} LIMIT 1");
    private static readonly StoreStatement Raise =
        new($"UPDATE checkpoints SET epoch = ? WHERE {Key} IF epoch = ?");
    private static readonly StoreStatement Point = new("UPDATE checkpoints SET saved_epoch = ?, slot = ?, chunks = ?, "
        + $"stamp = ?, offsets = ?, saved_at = ? WHERE {Key} IF epoch <= ? AND stamp = ?");
    private static readonly StoreStatement Forget = new("UPDATE checkpoints SET epoch = ?, saved_epoch = null, "
        + "slot = null, chunks = null, stamp = null, offsets = null, saved_at = null "
        + $"WHERE {Key} IF epoch = ? AND mark_sequence = ?");

    private readonly CheckpointStates _states = new(database);

    public async ValueTask<long> RaiseEpochAsync(CheckpointKey key, CancellationToken ct)
    {
        await database.RunAsync(InsertPart, ct, key.Query, key.Version, key.Partition).ConfigureAwait(false);
        while (true)
        {
            var head = await HeadAsync(key, ct).ConfigureAwait(false);
            var next = (head.Epoch ?? 0) + 1;
            var raised = await database.RunAsync(Raise, ct, next, key.Query, key.Version, key.Partition, head.Epoch)
                .ConfigureAwait(false);
            if (raised.Applied) return next;
        }
    }

    public async ValueTask<Checkpoint?> FindAsync(CheckpointKey key, CancellationToken ct)
    {
        // Somebody else's may be written anew while it is read.
        for (var reads = 0; reads < ReadsMax; reads++)
        {
            if ((await HeadAsync(key, ct).ConfigureAwait(false)).Saved is not { } saved) return null;
            if (await _states.ReadAsync(key, saved, ct).ConfigureAwait(false) is not { } state) continue;
            var offsets = saved.Offsets;
            return new Checkpoint(offsets.Inputs, offsets.Outputs, state, saved.SavedAt) { Epoch = saved.Slot.Epoch };
        }

        throw StoreErrors.Unavailable.With(key, "Its checkpoint's state is not whole.").AsException();
    }

    public async ValueTask<bool> SaveAsync(
        CheckpointKey key, long epoch, Checkpoint checkpoint, CancellationToken ct)
    {
        while (true)
        {
            // Serial: a pointer whose saving ended without an answer must be seen, or its chunks would be overwritten.
            var head = await HeadAsync(key, ct, Consistency.LocalSerial).ConfigureAwait(false);
            if (head.Epoch is not { } current || current > epoch) return false;
            if (!await TrySaveAsync(key, epoch, head, checkpoint, ct).ConfigureAwait(false)) continue;
            var before = head.Saved?.Slot.Epoch;
            if (before != epoch) await CleanAsync(key, before, epoch, ct).ConfigureAwait(false);
            return true;
        }
    }

    /// <summary>
    /// The pointer moves on from the one in the head alone: a save that had no answer, and was done again, may still be
    /// on its way to a node, and must not put back what came after it.
    /// </summary>
    private async ValueTask<bool> TrySaveAsync(
        CheckpointKey key, long epoch, CheckpointHead head, Checkpoint checkpoint, CancellationToken ct)
    {
        var slot = new StateSlot(epoch, 0);
        var kept = head.Saved?.Slot.Epoch == epoch ? head.Saved.Chunks : [];
        var chunks = await _states.WriteAsync(key, slot, kept, checkpoint.State, ct).ConfigureAwait(false);
        var offsets = JsonSerializer.Serialize(
            new SavedOffsets(checkpoint.Inputs, checkpoint.Outputs, PlacedChunk.Write(chunks)));
        var batch = BatchStatement.Rent();
        batch.Add(await database.BindAsync(Point, ct, epoch, slot.Slot, chunks.Length, Guid.NewGuid(),
            offsets, checkpoint.SavedAt, key.Query, key.Version, key.Partition, epoch, head.Saved?.Stamp)
            .ConfigureAwait(false));
        await CoverAsync(batch, key, checkpoint.Inputs, ct).ConfigureAwait(false);
        return (await database.RunAsync(batch, ct).ConfigureAwait(false)).Applied;
    }

    public async ValueTask DeleteAsync(string query, int version, CancellationToken ct)
    {
        var parts = await database.ListAsync(SelectParts, row => row.Get<int>(0), ct, query, version)
            .ConfigureAwait(false);
        await InFlight.ForEachAsync(parts, ct, (part, token) =>
            DeleteAsync(new CheckpointKey(query, version, part), token)).ConfigureAwait(false);
    }

    /// <summary>
    /// The epoch is raised, not removed: an owner that is still at work must not be able to save again.
    /// </summary>
    private async ValueTask DeleteAsync(CheckpointKey key, CancellationToken ct)
    {
        while (true)
        {
            var head = await HeadAsync(key, ct, Consistency.LocalSerial).ConfigureAwait(false);
            var next = (head.Epoch ?? 0) + 1;
            var batch = BatchStatement.Rent();
            batch.Add(await database.BindAsync(Forget, ct, next, key.Query, key.Version, key.Partition, head.Epoch,
                head.MarkSequence).ConfigureAwait(false));
            await ForgetMarksAsync(batch, key, 0, head.NextMark, ct).ConfigureAwait(false);
            if (!(await database.RunAsync(batch, ct).ConfigureAwait(false)).Applied) continue;
            await CleanAsync(key, head.Saved?.Slot.Epoch, next, ct).ConfigureAwait(false);
            return;
        }
    }

    /// <summary>Owners before this one fill no slot that counts any more.</summary>
    private async ValueTask CleanAsync(CheckpointKey key, long? saved, long epoch, CancellationToken ct)
    {
        for (var old = Math.Max(saved ?? 1, epoch - OwnersCleanedMax); old < epoch; old++)
            await _states.RemoveAsync(key, old, ct).ConfigureAwait(false);
    }

    private async ValueTask<CheckpointHead> HeadAsync(
        CheckpointKey key, CancellationToken ct, Consistency? consistency = null)
    {
        var bound = await database.BindAsync(SelectHead, ct, key.Query, key.Version, key.Partition)
            .ConfigureAwait(false);
        bound.Consistency = consistency;
        var rows = await database.RunAsync(bound, ct).ConfigureAwait(false);
        return rows.Count == 0 ? CheckpointHead.None : CheckpointHead.Read(rows[0]);
    }
}
