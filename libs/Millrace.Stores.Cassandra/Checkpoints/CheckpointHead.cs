using Millrace.Contracts;
using Millrace.Cql;

namespace Millrace.Stores.Cassandra.Checkpoints;

/// <summary>What a key's partition says of all its rows. What was never set is null.</summary>
/// <param name="MarkSequence">The number of the newest mark.</param>
/// <param name="Saved">Which checkpoint counts.</param>
internal sealed record CheckpointHead(long? Epoch, long? MarkSequence, SavedCheckpoint? Saved)
{
    public const string Fields = "epoch, mark_sequence, saved_epoch, slot, chunks, stamp, offsets, saved_at";

    public static readonly CheckpointHead None = new(null, null, null);

    public static CheckpointHead Read(Row row) => new(row.Get<long?>(0), row.Get<long?>(1), row.IsNull(2)
        ? null
        : new SavedCheckpoint(new StateSlot(row.Get<long>(2), row.Get<int>(3)), row.Get<int>(4), row.Get<Guid>(5),
            row.Get<string>(6), row.Get<DateTimeOffset>(7)));
}

/// <param name="Chunks">How many of the slot are the state's.</param>
/// <param name="Stamp">That each of them has.</param>
internal sealed record SavedCheckpoint(
    StateSlot Slot, int Chunks, Guid Stamp, string Offsets, DateTimeOffset SavedAt);

/// <summary>
/// Where a state's chunks lie. An owner has two slots, of which it fills the one that does not count; nobody else
/// writes there.
/// </summary>
internal readonly record struct StateSlot(long Epoch, int Slot);

internal sealed record SavedOffsets(IReadOnlyList<PartitionOffset> Inputs, IReadOnlyList<PartitionOffset> Outputs);
