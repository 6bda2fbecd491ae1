using System.Text.Json;
using Millrace.Contracts;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>What a key's partition says of all its rows. What was never set is null.</summary>
/// <param name="MarkSequence">How often marks were added, or changed; none has a higher number.</param>
/// <param name="Saved">Which checkpoint counts.</param>
internal sealed record CheckpointHead(long? Epoch, long? MarkSequence, SavedCheckpoint? Saved)
{
    public const string Fields = "epoch, mark_sequence, saved_epoch, slot, chunks, stamp, offsets, saved_at";

    /// <summary>The number of a mark that comes now.</summary>
    public long NextMark => (MarkSequence ?? 0) + 1;

    public static readonly CheckpointHead None = new(null, null, null);

    public static CheckpointHead Read(Row row) => new(row.Get<long?>(0), row.Get<long?>(1), row.IsNull(2)
        ? null
        : SavedCheckpoint.Of(new StateSlot(row.Get<long>(2), row.Get<int>(3)), row.Get<int>(4), row.Get<Guid>(5),
            JsonSerializer.Deserialize<SavedOffsets>(row.Get<string>(6))!, row.Get<DateTimeOffset>(7)));
}

/// <param name="Chunks">The state's, in order.</param>
/// <param name="Stamp">Of each save another one.</param>
internal sealed record SavedCheckpoint(
    StateSlot Slot, IReadOnlyList<PlacedChunk> Chunks, Guid Stamp, SavedOffsets Offsets, DateTimeOffset SavedAt)
{
    /// <param name="count">How many chunks a state has that does not say where they lie: they are the first.</param>
    /// <param name="stamp">The id of all of them.</param>
    public static SavedCheckpoint Of(
        StateSlot slot, int count, Guid stamp, SavedOffsets offsets, DateTimeOffset savedAt) => new(slot,
        offsets.Chunks is { } chunks ? PlacedChunk.Read(chunks)
            : [.. Enumerable.Range(0, count).Select(place => new PlacedChunk(place, stamp))],
        stamp, offsets, savedAt);
}

/// <summary>Where an owner's chunks lie; nobody else writes there.</summary>
internal readonly record struct StateSlot(long Epoch, int Slot);

/// <param name="Chunks">Where the state lies, by <see cref="PlacedChunk.Write"/>.</param>
internal sealed record SavedOffsets(
    IReadOnlyList<PartitionOffset> Inputs, IReadOnlyList<PartitionOffset> Outputs, byte[]? Chunks = null);
