using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>What is stored of a device.</summary>
/// <param name="Written">The latest position that was written.</param>
/// <param name="End">Of the last device of this id that was deleted.</param>
internal sealed record StoredPosition(DevicePosition? Written, DeviceEnd? End)
{
    public static readonly StoredPosition None = new(null, null);

    /// <summary>Where the device is; null when that was another one, which is deleted.</summary>
    public DevicePosition? Current => Written is not null && Written.IsOf(End) ? null : Written;
}
