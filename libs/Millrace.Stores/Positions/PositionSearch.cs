namespace Millrace.Stores.Positions;

/// <summary>A position under the hash by which an adapter keeps it.</summary>
internal readonly record struct PlacedPosition(long Cell, DevicePosition Position)
{
    public PositionPlace Place => new(Cell, Position.DeviceId);
}

/// <summary>A place in the order of (hash, device).</summary>
internal readonly record struct PositionPlace(long Cell, string Device) : IComparable<PositionPlace>
{
    public int CompareTo(PositionPlace other) =>
        Cell == other.Cell ? string.CompareOrdinal(Device, other.Device) : Cell.CompareTo(other.Cell);
}

/// <summary>
/// Devices within an area, for adapters that read ranges of hashes in the order of (hash, device): the ranges hold more
/// than the area, and what lies outside is left out here.
/// </summary>
internal static class PositionSearch
{
    private const int RangesMax = 64;

    /// <summary>
    /// Rows of the range behind a place, in order, about so many; and where the range goes on, null when it does not.
    /// What comes more than once is taken once in a page.
    /// </summary>
    public delegate ValueTask<(IReadOnlyList<PlacedPosition> Rows, PositionPlace? Next)> ReadRange(
        CellRange range, PositionPlace after, int limit, CancellationToken ct);

    public static async ValueTask<Page<DevicePosition>> WithinAsync(
        GeoArea area, int limit, PositionCursor cursor, ReadRange read, CancellationToken ct)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(limit);
        var after = cursor.After;
        var found = new List<PlacedPosition>();
        var devices = new HashSet<string>();
        foreach (var range in Geohash.Cover(area.Boxes(), RangesMax))
        {
            if (range.Last < after.Cell) continue;
            var start = new PositionPlace(range.First, "");
            for (PositionPlace? next = after.Cell < range.First ? start : after; next is { } place;)
            {
                (var rows, next) = await read(range, place, limit + 1, ct).ConfigureAwait(false);
                found.AddRange(rows.Where(row => area.Contains(row.Position.Latitude, row.Position.Longitude)
                    && devices.Add(row.Position.DeviceId)));
                if (found.Count > limit) break;
            }

            if (found.Count > limit) break;
        }

        if (found.Count <= limit) return new Page<DevicePosition>([.. found.Select(one => one.Position)], null);
        return new Page<DevicePosition>([.. found.Take(limit).Select(one => one.Position)],
            (cursor with { After = found[limit - 1].Place }).Write());
    }
}
