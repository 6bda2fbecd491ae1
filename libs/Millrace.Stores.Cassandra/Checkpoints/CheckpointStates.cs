using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Checkpoints;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>States, in chunks.</summary>
internal sealed class CheckpointStates(CassandraDatabase database)
{
    private const int ChunkBytes = 256 << 10;
    private const string Slot = "query = ? AND version = ? AND part = ? AND epoch = ? AND slot = ?";

    private static readonly StoreStatement Insert = new("INSERT INTO checkpoint_states(query, version, part, epoch, "
        + "slot, chunk, stamp, bytes) VALUES(?, ?, ?, ?, ?, ?, ?, ?)");
    private static readonly StoreStatement Select =
        new($"SELECT stamp, bytes FROM checkpoint_states WHERE {Slot} AND chunk < ?");
    private static readonly StoreStatement Delete = new($"DELETE FROM checkpoint_states WHERE {Slot}");

    public static int Chunks(byte[] state) => (state.Length + ChunkBytes - 1) / ChunkBytes;

    public Task WriteAsync(CheckpointKey key, StateSlot slot, Guid stamp, byte[] state, CancellationToken ct) =>
        InFlight.ForEachAsync(Enumerable.Range(0, Chunks(state)), ct, async (chunk, token) =>
        {
            var bytes = new ReadOnlyMemory<byte>(state, chunk * ChunkBytes,
                Math.Min(ChunkBytes, state.Length - chunk * ChunkBytes));
            await database.RunAsync(Insert, token, key.Query, key.Version, key.Partition, slot.Epoch, slot.Slot, chunk,
                stamp, bytes).ConfigureAwait(false);
        });

    /// <summary>Null when the slot was written anew meanwhile.</summary>
    public async ValueTask<byte[]?> ReadAsync(CheckpointKey key, SavedCheckpoint saved, CancellationToken ct)
    {
        var state = new MemoryStream();
        var bound = await database.BindAsync(Select, ct, key.Query, key.Version, key.Partition, saved.Slot.Epoch,
            saved.Slot.Slot, saved.Chunks).ConfigureAwait(false);
        bound.PageSize = 16;
        var count = 0;
        await foreach (var row in database.ReadAsync(bound, ct).ConfigureAwait(false))
        {
            if (row.Get<Guid>(0) != saved.Stamp) return null;
            state.Write(row.Bytes(1));
            count++;
        }

        return count == saved.Chunks ? state.ToArray() : null;
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
