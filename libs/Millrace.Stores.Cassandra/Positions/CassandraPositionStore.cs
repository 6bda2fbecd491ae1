using System.Collections.Concurrent;
using Millrace.Cql;
using Millrace.Stores.Cassandra.Connection;
using Millrace.Stores.Cassandra.Telemetry;
using Millrace.Stores.Cassandra.Upgrades;
using Millrace.Stores.Positions;
using Millrace.Stores.Upgrades;

namespace Millrace.Stores.Cassandra.Positions;

/// <summary>
/// Positions twice: by device, which says where it is, and by area, which says whom to ask about. An entry of an area
/// leads to the device's own row, which alone counts, so that one which a lost race left behind is not seen.
/// </summary>
internal sealed class CassandraPositionStore(
    CassandraDatabase database, CassandraTelemetryOptions options, IUpgradeStore upgrades, TimeProvider time)
    : IPositionStore
{
    /// <summary>So many devices' positions are known at least, and twice as many at most.</summary>
    private const int KnownMin = 250_000;

    private readonly PositionTables _tables = new(database);
    private readonly BoundedWrites _writes = new(database.RunAsync, options.WritesInFlightMax);
    private readonly FinalisedStep _generations = new(upgrades, PositionSchema.Generations, time);

    // By device and generation; by device alone as long as the version before may be at work.
    private readonly RecentlyKnown<(string Device, string? Generation), WrittenPosition> _known = new(KnownMin);
    private readonly ConcurrentDictionary<int, bool> _areas = new();

    public async ValueTask WriteAsync(IReadOnlyList<DevicePosition> positions, CancellationToken ct)
    {
        var left = new List<CqlStatement>();
        var entries = new PartitionBatches<int>(options.BatchBytes.Bytes);
        var devices = new PartitionBatches<int>(options.BatchBytes.Bytes);
        var (moved, areas) = (new List<WrittenPosition>(), new HashSet<int>());
        foreach (var (next, known) in await WithKnownAsync(positions, ct).ConfigureAwait(false))
        {
            // One that is stored already may lack its entry: whoever wrote it may have failed in between.
            if (known is not null && known.Position.IsAfter(next.Position)) continue;
            moved.Add(next);
            var area = PositionTables.AreaOf(PositionTables.CellOf(next.Position));
            if (!_areas.ContainsKey(area)) areas.Add(area);
            entries.Add(area, await _tables.BindEntryAsync(next, ct).ConfigureAwait(false));
            devices.Add(PositionTables.ShardOf(next.Position.DeviceId),
                await _tables.BindDeviceAsync(next, ct).ConfigureAwait(false));
            if (known is not null && known.IsLeftFor(next.Position))
                left.Add(await _tables.BindLeftAsync(known, ct).ConfigureAwait(false));
        }

        var newAreas = await Task.WhenAll(areas.Select(async area =>
            (CqlStatement)await _tables.BindAreaAsync(area, ct).ConfigureAwait(false))).ConfigureAwait(false);

        // In this order: a device whose row says where it is has an entry there, and it leaves the old one last.
        await _writes.ExecuteAsync([.. newAreas, .. entries.Take()], ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(devices.Take(), ct).ConfigureAwait(false);
        await _writes.ExecuteAsync(left, ct).ConfigureAwait(false);
        foreach (var one in moved) _known.Set(KeyOf(one), one);
        foreach (var area in areas) _areas[area] = true;
    }

    public async ValueTask<DevicePosition?> FindAsync(string deviceId, CancellationToken ct) =>
        (await _tables.FindAsync(deviceId, ct).ConfigureAwait(false)).Current?.Position;

    public async ValueTask ForgetAsync(IReadOnlyList<DeviceEnd> ends, CancellationToken ct)
    {
        await InFlight.ForEachAsync(ends, ct, _tables.ForgetAsync).ConfigureAwait(false);
        foreach (var end in ends)
        {
            _known.Remove((end.DeviceId, null));
            _known.Remove((end.DeviceId, end.GenerationId ?? ""));
        }
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

    /// <summary>
    /// The latest of each device and generation, or of each device alone, beside what is stored of it.
    /// </summary>
    private async ValueTask<IReadOnlyList<(WrittenPosition Next, WrittenPosition? Known)>> WithKnownAsync(
        IReadOnlyList<DevicePosition> positions, CancellationToken ct)
    {
        var isShared = !await _generations.IsFinalisedAsync(ct).ConfigureAwait(false);
        var latest = isShared
            ? DevicePosition.LatestOf(positions)
            : positions.GroupBy(position => position.GenerationId).SelectMany(DevicePosition.LatestOf);
        var result = new List<(WrittenPosition, WrittenPosition?)>();
        foreach (var chunk in latest.Select(position => new WrittenPosition(position, isShared))
            .Chunk(options.ReadsAtOnceMax))
        {
            result.AddRange(await Task.WhenAll(chunk.Select(async next => (next,
                _known.TryGet(KeyOf(next), out var known)
                    ? known
                    : (await _tables.FindAsync(next.Position.DeviceId, ct).ConfigureAwait(false)).Before(next))))
                .ConfigureAwait(false));
        }

        return result;
    }

    private static (string Device, string? Generation) KeyOf(WrittenPosition written) =>
        (written.Position.DeviceId, written.IsShared ? null : written.Generation);

    private async ValueTask<(IReadOnlyList<PlacedPosition> Rows, PositionPlace? Next)> ReadAsync(
        PositionCursor cursor, CellRange range, PositionPlace after, int limit, CancellationToken ct)
    {
        var areas = await _tables.AreasAsync(PositionTables.AreaOf(after.Cell), PositionTables.AreaOf(range.Last), ct)
            .ConfigureAwait(false);
        var entries = new List<AreaEntry>();
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
        PositionCursor cursor, IReadOnlyList<AreaEntry> entries, PositionPlace readTo, CancellationToken ct)
    {
        var current = new List<PlacedPosition>();
        var left = new List<CqlStatement>();
        foreach (var chunk in entries.Chunk(options.ReadsAtOnceMax))
        {
            var devices = await Task.WhenAll(chunk.Select(async entry =>
                await _tables.FindAsync(entry.Device, ct).ConfigureAwait(false))).ConfigureAwait(false);
            foreach (var (entry, device) in chunk.Zip(devices))
            {
                var mayHaveMoved = device.Current?.MayHaveMovedSince(cursor.BegunAtMs) == true;
                foreach (var one in entry.Written)
                {
                    // A shared one goes with all that was written there before it; so it stays while there is more.
                    if (mayHaveMoved || !device.HasLeft(one) || (one.IsShared && entry.Written.Count > 1)) continue;
                    left.Add(await _tables.BindLeftAsync(one, ct).ConfigureAwait(false));
                }

                // The entry is written first: it may be ahead of its device for a moment.
                if (device.Current is not { Position: var position }) continue;
                var cell = PositionTables.CellOf(position);
                if (cell != entry.Cell && !entry.Written.Any(device.IsLedToBy)) continue;
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
