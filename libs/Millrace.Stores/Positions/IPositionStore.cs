namespace Millrace.Stores.Positions;

/// <summary>Each device's latest position, and which devices are within an area.</summary>
public interface IPositionStore
{
    /// <summary>
    /// Keeps, of each device, the position of the highest (event_at, offset). Replays change nothing.
    /// </summary>
    ValueTask WriteAsync(IReadOnlyList<DevicePosition> positions, CancellationToken ct = default);

    /// <summary>
    /// Devices were deleted: where they were, and what of it still comes, does not count any more. A replay changes
    /// nothing.
    /// </summary>
    ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct = default);

    ValueTask<DevicePosition?> FindAsync(string deviceId, CancellationToken ct = default);

    /// <summary>Devices whose latest position is in the area; neighbours come near one another.</summary>
    ValueTask<Page<DevicePosition>> WithinAsync(
        GeoArea area, int limit, string? continuation = null, CancellationToken ct = default);
}
