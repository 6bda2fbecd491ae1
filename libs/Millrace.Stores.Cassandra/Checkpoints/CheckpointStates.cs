using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>
/// States, in chunks, each at a place of its owner's. What the checkpoint that counts has at a place is never written
/// over; what it has already is not written again.
/// </summary>
internal sealed class CheckpointStates(CassandraDatabase database)
{
    private const int RowsAPage = 16;
    private const string Slot = "query = ? AND version = ? AND part = ? AND epoch = ? AND slot = ?";

    private static readonly StoreStatement Insert = new("INSERT INTO checkpoint_states(query, version, part, epoch, "
        + "slot, chunk, stamp, bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement Select =
        new($"SELECT chunk, stamp, bytes FROM checkpoint_states WHERE {Slot}");
    private static readonly StoreStatement Delete = new($"DELETE FROM checkpoint_states WHERE {Slot}");

    /// <summary>Writes what is new; gives where all of the state lies.</summary>
    /// <param name="before">Where the state lies that counts now; nowhere when that is another owner's.</param>
    public async Task<PlacedChunk[]> WriteAsync(
        CheckpointKey key, StateSlot slot, IReadOnlyList<PlacedChunk> before, byte[] state, CancellationToken ct)
    {
        var (all, added) = PlacedChunk.Arrange(StateChunk.Cut(state), before);
        await InFlight.ForEachAsync(added, ct, async (one, token) => await database.RunAsync(Insert, token, key.Query,
            key.Version, key.Partition, slot.Epoch, slot.Slot, one.Place, one.Chunk.Id, one.Chunk.Bytes)
            .ConfigureAwait(false)).ConfigureAwait(false);
        var written = added.Sum(one => (long)one.Chunk.Bytes.Length);
        StoreMetrics.StateWritten.Add(written);
        StoreMetrics.StateKept.Add(state.Length - written);
        return all;
    }

    /// <summary>Null when it was written anew meanwhile.</summary>
    public async ValueTask<byte[]?> ReadAsync(CheckpointKey key, SavedCheckpoint saved, CancellationToken ct)
    {
        var bound = await database.BindAsync(
            Select, ct, key.Query, key.Version, key.Partition, saved.Slot.Epoch, saved.Slot.Slot).ConfigureAwait(false);
        bound.PageSize = RowsAPage;
        var wanted = saved.Chunks.ToHashSet();
        var chunks = new Dictionary<PlacedChunk, byte[]>();
        var rows = database.ReadAsync(bound, row =>
        {
            var chunk = new PlacedChunk(row.Get<int>(0), row.Get<Guid>(1));
            return (Chunk: chunk, Bytes: wanted.Contains(chunk) ? row.Bytes(2).ToArray() : null);
        }, ct, key.Query, key.Version, key.Partition, saved.Slot.Epoch, saved.Slot.Slot);
        await foreach (var (chunk, bytes) in rows.ConfigureAwait(false))
        {
            if (bytes is not null) chunks[chunk] = bytes;
        }

        if (chunks.Count < wanted.Count) return null;
        var state = new MemoryStream();
        foreach (var chunk in saved.Chunks) state.Write(chunks[chunk]);
        return state.ToArray();
    }

    /// <summary>An owner's, which is one no more.</summary>
    public async ValueTask RemoveAsync(CheckpointKey key, long epoch, CancellationToken ct)
    {
        foreach (var slot in new[] { 0, 1 })
        {
            await database.RunAsync(Delete, ct, key.Query, key.Version, key.Partition, epoch, slot)
                .ConfigureAwait(false);
        }
    }
}
