namespace Millrace.Stores.Positions;

/// <summary>Where a device was, by the telemetry row of (event_at, offset).</summary>
/// <param name="Latitude">Degrees, -90 to 90.</param>
/// <param name="Longitude">Degrees, -180 to 180.</param>
/// <param name="Altitude">Metres, when the device tells it.</param>
/// <param name="GenerationId">Of the device that sent the row, when it names one.</param>
public sealed record DevicePosition(
    string DeviceId, double Latitude, double Longitude, double? Altitude, long EventAtMs, int Partition, long Offset,
    long EnqueuedAtMs, string? GenerationId = null)
{
    /// <summary>Whether this is later than the other: the higher (event_at, offset).</summary>
    public bool IsAfter(DevicePosition other) =>
        (EventAtMs, Offset).CompareTo((other.EventAtMs, other.Offset)) > 0;

    /// <summary>Whether it is where a device was that is deleted.</summary>
    public bool IsOf(DeviceEnd? end) => end?.Covers(EnqueuedAtMs, GenerationId) == true;

    /// <summary>The latest of each device.</summary>
    public static IEnumerable<DevicePosition> LatestOf(IEnumerable<DevicePosition> positions) =>
        positions.GroupBy(position => position.DeviceId)
            .Select(ofDevice => ofDevice.Aggregate((one, other) => other.IsAfter(one) ? other : one));
}
