using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>A position as it stands in a row, of a device or of an area.</summary>
/// <param name="IsShared">
/// Whether it stands where the version before looks, which has one of an id; else its generation has one of its own.
/// </param>
/// <param name="MovedAtMs">
/// When the device's row was written, which was after its entry, by a node's clock; null when that is not told.
/// </param>
internal sealed record WrittenPosition(DevicePosition Position, bool IsShared, long? MovedAtMs = null)
{
    /// <summary>How far the clocks of two nodes may be apart.</summary>
    private const long ClocksApartMaxMs = 1_000;

    /// <summary>Empty where the messages name none.</summary>
    public string Generation => Position.GenerationId ?? "";

    /// <summary>
    /// Whether a search that began then may have read the place where the device is before its entry was there; one of
    /// which nothing is known may. It comes to its own entry otherwise.
    /// </summary>
    public bool MayHaveMovedSince(long? begunAtMs) =>
        MovedAtMs is not { } movedAtMs || begunAtMs is not { } begun || movedAtMs > begun - ClocksApartMaxMs;

    /// <summary>
    /// Whether a device that is where the other says has left this one for good. With the same event time it has not:
    /// it may come back, and the removal of the entry would hide the one that it has then.
    /// </summary>
    public bool IsLeftFor(DevicePosition now) => now.EventAtMs > Position.EventAtMs && !IsInCellOf(now);

    public bool IsInCellOf(DevicePosition other) =>
        PositionTables.CellOf(Position) == PositionTables.CellOf(other);
}

/// <summary>What is written of a device's positions in a cell of an area, one at least.</summary>
internal sealed record AreaEntry(long Cell, string Device, IReadOnlyList<WrittenPosition> Written)
{
    public PositionPlace Place => new(Cell, Device);
}
