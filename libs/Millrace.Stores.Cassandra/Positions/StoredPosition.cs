namespace Millrace.Stores.Cassandra.Positions;

/// <summary>What is stored of a device.</summary>
/// <param name="Written">The latest position of each generation, and the one that all have together.</param>
/// <param name="End">Of the last device of this id that was deleted.</param>
internal sealed record StoredPosition(IReadOnlyList<WrittenPosition> Written, DeviceEnd? End)
{
    public static readonly StoredPosition None = new([], null);

    /// <summary>Where the device is; null when all that is written was of others, which are deleted.</summary>
    public WrittenPosition? Current { get; } = Latest(Written, End);

    /// <summary>The latest that would be written in the place of this one.</summary>
    public WrittenPosition? Before(WrittenPosition next) => Latest(Written.Where(one => IsSameLine(one, next)), End);

    /// <summary>Whether an entry of another cell than the device's leads to where it is.</summary>
    public bool IsLedToBy(WrittenPosition entry) => Current is { } now
        && (now.Position.EventAtMs > entry.Position.EventAtMs || entry.Position.IsOf(End));

    /// <summary>
    /// Whether an entry says where the device is not, for good. That of a generation which is not known to be deleted
    /// is not left for another's, for it may be the one that counts when either is. One of the cell where the device
    /// is stays, whosever it is: it leads to the device.
    /// </summary>
    public bool HasLeft(WrittenPosition entry) => entry.Position.IsOf(End)
        ? Current is not { } now || !entry.IsInCellOf(now.Position)
        : Written.Any(one => IsSameLine(one, entry) && entry.IsLeftFor(one.Position));

    /// <summary>Whether the later one takes the place of the other.</summary>
    private static bool IsSameLine(WrittenPosition one, WrittenPosition other) =>
        (one.IsShared && other.IsShared) || one.Generation == other.Generation;

    private static WrittenPosition? Latest(IEnumerable<WrittenPosition> written, DeviceEnd? end) =>
        written.Where(one => !one.Position.IsOf(end)).MaxBy(one => (one.Position.EventAtMs, one.Position.Offset));
}
