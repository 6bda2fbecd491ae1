using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>What is stored of a device.</summary>
/// <param name="Written">The latest position that was written.</param>
/// <param name="MovedAtMs">
/// When its row was written, which was after its entry, by a node's clock; null when that is not told.
/// </param>
/// <param name="End">Of the last device of this id that was deleted.</param>
internal sealed record StoredPosition(DevicePosition? Written, long? MovedAtMs, DeviceEnd? End)
{
    /// <summary>How far the clocks of two nodes may be apart.</summary>
    private const long ClocksApartMaxMs = 1_000;

    public static readonly StoredPosition None = new(null, null, null);

    /// <summary>Where the device is; null when that was another one, which is deleted.</summary>
    public DevicePosition? Current => Written is not null && Written.IsOf(End) ? null : Written;

    /// <summary>
    /// Whether an entry says where the device is not, for good. One of the cell where it is stays, whosever it is: it
    /// leads to the device.
    /// </summary>
    public bool HasLeft(DevicePosition entry) => Current is { } now
        ? IsLeft(entry, now) || (entry.IsOf(End) && !IsSameCell(entry, now))
        : entry.IsOf(End);

    /// <summary>
    /// Whether a search that began then may have read the place where the device is before its entry was there; one of
    /// which nothing is known may. It comes to its own entry otherwise.
    /// </summary>
    public bool MayHaveMovedSince(long? begunAtMs) =>
        MovedAtMs is not { } movedAtMs || begunAtMs is not { } begun || movedAtMs > begun - ClocksApartMaxMs;

    /// <summary>
    /// Whether a device that is where the second says has left the first for good. With the same event time it has not:
    /// it may come back, and the removal of the entry would hide the one that it has then.
    /// </summary>
    public static bool IsLeft(DevicePosition entry, DevicePosition now) =>
        now.EventAtMs > entry.EventAtMs && !IsSameCell(entry, now);

    private static bool IsSameCell(DevicePosition one, DevicePosition other) =>
        PositionTables.CellOf(one) == PositionTables.CellOf(other);
}
