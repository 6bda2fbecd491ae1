using System.Collections.Concurrent;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Positions;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// Positions twice: by device, which says where it is, and by area, which says whom to ask about. An entry of an area
/// leads to the device's own row, which alone counts, so that one which a lost race left behind is not seen.
/// </summary>
internal sealed class CassandraPositionStore(CassandraDatabase database, CassandraTelemetryOptions options)
    : IPositionStore
{
    /// <summary>So many devices' positions are known at least, and twice as many at most.</summary>
    private const int KnownMin = 250_000;

    private readonly PositionTables _tables = new(database);
    private readonly BoundedWrites _writes = new(database.RunAsync, options.WritesInFlightMax);
    private readonly RecentlyKnown<string, DevicePosition> _known = new(KnownMin);
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
            if (known is not null && StoredPosition.IsLeft(known, position))
                left.Add(await _tables.BindLeftAsync(known, ct).ConfigureAwait(false));
        }

        var newAreas = await Task.WhenAll(areas.Select(async area =>
            (CqlStatement)await _tables.BindAreaAsync(area, ct).ConfigureAwait(false))).ConfigureAwait(false);

        // In this order: a device whose row says where it is has an entry there, and it leaves the old one last.
        await _writes.ExecuteAsync([.. newAreas, .. entries.Take()], ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(devices.Take(), ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(left, ct).ConfigureAwait(false);
        foreach (var position in moved) _known.Set(position.DeviceId, position);
        foreach (var area in areas) _areas[area] = true;
    }

    public async ValueTask<DevicePosition?> FindAsync(string deviceId, CancellationToken ct) =>
        (await _tables.FindAsync(deviceId, ct).ConfigureAwait(false)).Current;

    public async ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct)
    {
        await InFlight.ForEachAsync(ends, ct, _tables.ForgetAsync).ConfigureAwait(false);
        foreach (var end in ends) _known.Remove(end.DeviceId);
    }

    public async ValueTask<Page<DevicePosition>> WithinAsync(
        GeoArea area, int limit, string? continuation, CancellationToken ct)
    {
        // A later page needs to know it, and it is to be no later than what the first one reads.
        var cursor = PositionCursor.Read(continuation)
            ?? PositionCursor.Start(await _tables.NowMsAsync(ct).ConfigureAwait(false));
        return await PositionSearch.WithinAsync(area, limit, cursor,
            (range, after, max, stop) => ReadAsync(cursor, range, after, max, stop), ct).ConfigureAwait(false);
    }

    /// <summary>The latest of each device, beside what is stored of it.</summary>
    private async ValueTask<IReadOnlyList<(DevicePosition Position, DevicePosition? Known)>> WithKnownAsync(
        IReadOnlyList<DevicePosition> positions, CancellationToken ct)
    {
        var result = new List<(DevicePosition, DevicePosition?)>();
        foreach (var chunk in DevicePosition.LatestOf(positions).Chunk(options.ReadsAtOnceMax))
        {
            result.AddRange(await Task.WhenAll(chunk.Select(async position => (position,
                _known.TryGet(position.DeviceId, out var known)
                    ? known
                    : await FindAsync(position.DeviceId, ct).ConfigureAwait(false)))).ConfigureAwait(false));
        }

        return result;
    }

    private async ValueTask<(IReadOnlyList<PlacedPosition> Rows, PositionPlace? Next)> ReadAsync(
        PositionCursor cursor, CellRange range, PositionPlace after, int limit, CancellationToken ct)
    {
        var areas = await _tables.AreasAsync(PositionTables.AreaOf(after.Cell), PositionTables.AreaOf(range.Last), ct)
            .ConfigureAwait(false);
        var entries = new List<PlacedPosition>();
        foreach (var area in areas)
        {
            entries.AddRange(await _tables.EntriesAsync(area, after, range.Last, limit - entries.Count, ct)
                .ConfigureAwait(false));
            if (entries.Count >= limit) break;
        }

        PositionPlace? next = entries.Count < limit ? null : entries[^1].Place;
        var readTo = next ?? new PositionPlace(range.Last + 1, "");
        return (await CurrentAsync(cursor, entries, readTo, ct).ConfigureAwait(false), next);
    }

    /// <summary>
    /// Where the devices of the entries are, as their own rows say, which are read later: one may have moved since. A
    /// device that is at a place which is still to be read is left for then. One at a place that an earlier page has
    /// read was found there, unless it moved since the search began; then it is taken now, for the search does not come
    /// by again. An entry that a device left before the search began, or that a deleted one left behind, is removed on
    /// the way; one that it left since may have to lead another page to it.
    /// </summary>
    private async ValueTask<IReadOnlyList<PlacedPosition>> CurrentAsync(
        PositionCursor cursor, IReadOnlyList<PlacedPosition> entries, PositionPlace readTo, CancellationToken ct)
    {
        var current = new List<PlacedPosition>();
        var left = new List<CqlStatement>();
        foreach (var chunk in entries.Chunk(options.ReadsAtOnceMax))
        {
            var devices = await Task.WhenAll(chunk.Select(async entry =>
                await _tables.FindAsync(entry.Position.DeviceId, ct).ConfigureAwait(false))).ConfigureAwait(false);
            foreach (var (entry, device) in chunk.Zip(devices))
            {
                var isLeft = device.HasLeft(entry.Position);
                var mayHaveMoved = device.Current is not null && device.MayHaveMovedSince(cursor.BegunAtMs);
                if (isLeft && !mayHaveMoved)
                    left.Add(await _tables.BindLeftAsync(entry.Position, ct).ConfigureAwait(false));

                // The entry is written first: it may be ahead of its device for a moment.
                if (device.Current is not { } position) continue;
                var cell = PositionTables.CellOf(position);
                if (!isLeft && cell != entry.Cell) continue;
                if (!mayHaveMoved && new PlacedPosition(cell, position).Place.CompareTo(cursor.After) <= 0) continue;

                // What moved back stands where its entry was, so that a page that ends with it goes on from there.
                var now = new PlacedPosition(Math.Max(cell, entry.Cell), position);
                if (now.Place.CompareTo(readTo) <= 0) current.Add(now);
            }
        }

        await _writes.ExecuteAsync(left, ct).ConfigureAwait(false);
        return [.. current.OrderBy(one => one.Place)];
    }
}
