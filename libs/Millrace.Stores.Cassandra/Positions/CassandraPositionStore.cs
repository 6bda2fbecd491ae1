using System.Collections.Concurrent;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// Positions twice: by device, which says where it is, and by area, which says whom to ask about. An entry of an area
/// counts only while the device's own row says the same, so that one which a lost race left behind is not seen.
/// </summary>
internal sealed class CassandraPositionStore(CassandraDatabase database, CassandraTelemetryOptions options)
    : IPositionStore
{
    private const int KnownMax = 500_000;

    private readonly PositionTables _tables = new(database);
    private readonly BoundedWrites _writes = new(database.RunAsync, options.WritesInFlightMax);
    private readonly ConcurrentDictionary<string, DevicePosition> _known = new();
    private readonly ConcurrentDictionary<int, bool> _areas = new();

    public async ValueTask WriteAsync(IReadOnlyList<DevicePosition> positions, CancellationToken ct)
    {
        var left = new List<CqlStatement>();
        var entries = new PartitionBatches<int>(options.BatchBytes.Bytes);
        var devices = new PartitionBatches<int>(options.BatchBytes.Bytes);
        var (moved, areas) = (new List<DevicePosition>(), new HashSet<int>());
        foreach (var (position, known) in await WithKnownAsync(positions, ct).ConfigureAwait(false))
        {
            // One that is stored already may lack its entry: whoever wrote it may have failed in between.
            if (known is not null && known.IsAfter(position)) continue;
            moved.Add(position);
            var area = PositionTables.AreaOf(PositionTables.CellOf(position));
            if (!_areas.ContainsKey(area)) areas.Add(area);
            entries.Add(area, await _tables.BindEntryAsync(position, ct).ConfigureAwait(false));
            devices.Add(PositionTables.ShardOf(position.DeviceId),
                await _tables.BindDeviceAsync(position, ct).ConfigureAwait(false));
            if (known is not null && PositionTables.CellOf(known) != PositionTables.CellOf(position))
                left.Add(await _tables.BindLeftAsync(known, ct).ConfigureAwait(false));
        }

        var newAreas = await Task.WhenAll(areas.Select(async area =>
            (CqlStatement)await _tables.BindAreaAsync(area, ct).ConfigureAwait(false))).ConfigureAwait(false);

        // In this order: a device whose row says where it is has an entry there, and it leaves the old one last.
        await _writes.ExecuteAsync([.. newAreas, .. entries.Take()], ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(devices.Take(), ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(left, ct).ConfigureAwait(false);
        if (_known.Count > KnownMax) _known.Clear();
        foreach (var position in moved) _known[position.DeviceId] = position;
        foreach (var area in areas) _areas[area] = true;
    }

    public async ValueTask<DevicePosition?> FindAsync(string deviceId, CancellationToken ct) =>
        (await _tables.FindAsync(deviceId, ct).ConfigureAwait(false)).Current;

    public async ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct)
    {
        await InFlight.ForEachAsync(ends, ct, _tables.ForgetAsync).ConfigureAwait(false);
        foreach (var end in ends) _known.TryRemove(end.DeviceId, out _);
    }

    public ValueTask<Page<DevicePosition>> WithinAsync(
        GeoArea area, int limit, string? continuation, CancellationToken ct) =>
        PositionSearch.WithinAsync(area, limit, continuation, ReadAsync, ct);

    /// <summary>The latest of each device, beside what is stored of it.</summary>
    private async ValueTask<IReadOnlyList<(DevicePosition Position, DevicePosition? Known)>> WithKnownAsync(
        IReadOnlyList<DevicePosition> positions, CancellationToken ct)
    {
        var result = new List<(DevicePosition, DevicePosition?)>();
        foreach (var chunk in DevicePosition.LatestOf(positions).Chunk(options.ReadsAtOnceMax))
        {
            result.AddRange(await Task.WhenAll(chunk.Select(async position => (position,
                _known.GetValueOrDefault(position.DeviceId)
                ?? await FindAsync(position.DeviceId, ct).ConfigureAwait(false)))).ConfigureAwait(false));
        }

        return result;
    }

    private async ValueTask<(IReadOnlyList<PlacedPosition> Rows, PositionPlace? Next)> ReadAsync(
        CellRange range, PositionPlace after, int limit, CancellationToken ct)
    {
        var areas = await _tables.AreasAsync(PositionTables.AreaOf(after.Cell), PositionTables.AreaOf(range.Last), ct)
            .ConfigureAwait(false);
        foreach (var area in areas)
        {
            var entries = await _tables.EntriesAsync(area, after, range.Last, limit, ct).ConfigureAwait(false);
            if (entries.Count == 0) continue;
            PositionPlace? next = entries.Count < limit && area == areas[^1] ? null : entries[^1].Place;
            return (await CurrentAsync(entries, ct).ConfigureAwait(false), next);
        }

        return ([], null);
    }

    /// <summary>
    /// Those that their devices confirm. One that a device has left, or that a deleted one left behind, is removed on
    /// the way.
    /// </summary>
    private async ValueTask<IReadOnlyList<PlacedPosition>> CurrentAsync(
        IReadOnlyList<PlacedPosition> entries, CancellationToken ct)
    {
        var current = new List<PlacedPosition>();
        var left = new List<CqlStatement>();
        foreach (var chunk in entries.Chunk(options.ReadsAtOnceMax))
        {
            var devices = await Task.WhenAll(chunk.Select(async entry =>
                await _tables.FindAsync(entry.Position.DeviceId, ct).ConfigureAwait(false))).ConfigureAwait(false);
            foreach (var (entry, device) in chunk.Zip(devices))
            {
                // The entry is written first: it may be ahead of its device for a moment.
                var isLeft = entry.Position.IsOf(device.End);
                if (!isLeft && (device.Written is null || entry.Position.IsAfter(device.Written))) continue;
                if (!isLeft && entry.Position == device.Written) current.Add(entry);
                else left.Add(await _tables.BindLeftAsync(entry.Position, ct).ConfigureAwait(false));
            }
        }

        await _writes.ExecuteAsync(left, ct).ConfigureAwait(false);
        return current;
    }
}
