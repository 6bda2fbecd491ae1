using System.Globalization;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.EventLog;

namespace Millrace.Archiver.Upkeep;

/// <summary>What an erasure did.</summary>
internal sealed record Erased(string DeviceHash, long Rows, int FilesRewritten, long Version);

/// <summary>
/// Takes all rows of one device out of the table: files that have some are written again without them. Each commit says
/// in the same step up to which offset of a log partition rows of the device may be gone, and the last one that they
/// are, as of a version of which every file that could hold them was looked at. Cut off, it is done again from the
/// start and ends the same.
/// </summary>
internal sealed class DeviceEraser(
    TableFiles files, IEventLog log, IOptions<ArchiverOptions> options, ArchiverMetrics metrics,
    TimeProvider time, ILogger<DeviceEraser> logger)
{
    /// <summary>Files that one commit replaces; a merge that comes between costs no more work than theirs.</summary>
    private const int FilesPerCommit = 32;

    /// <summary>Erases the device from all of the tables.</summary>
    public async ValueTask<Erased> RunAsync(
        IReadOnlyList<ArchiveTable> archives, string deviceId, CancellationToken ct)
    {
        var all = new Erased(ArchiveRecords.HashOf(deviceId), 0, 0, -1);
        foreach (var archive in archives)
        {
            var erased = await RunAsync(archive, deviceId, ct).ConfigureAwait(false);
            all = all with
            {
                Rows = all.Rows + erased.Rows,
                FilesRewritten = all.FilesRewritten + erased.FilesRewritten,
                Version = archive.Output is null ? erased.Version : all.Version,
            };
        }

        return all;
    }

    public async ValueTask<Erased> RunAsync(ArchiveTable archive, string deviceId, CancellationToken ct)
    {
        var erasure = new Erasure(archive, Encoding.UTF8.GetBytes(deviceId), ArchiveRecords.HashOf(deviceId));
        while (true)
        {
            var snapshot = await archive.Table.RefreshAsync(ct).ConfigureAwait(false);
            if (snapshot is null) return new Erased(erasure.Hash, 0, 0, -1);
            erasure.Partitions.UnionWith(PartitionsOf(erasure, snapshot));
            var suspects = snapshot.FilesWithin([ColumnRange.Of("device_id", deviceId)])
                .Where(file => !erasure.Clean.Contains(file.Path)).ToList();
            if (suspects.Count > 0)
            {
                await RewriteAsync(erasure, snapshot, suspects, ct).ConfigureAwait(false);
                continue;
            }

            var result = await RecordAsync(erasure, snapshot, ct).ConfigureAwait(false);
            if (result.Outcome != DeltaCommitOutcome.Committed) continue;
            logger.DeviceErased(archive.Table.Root, erasure.Hash, erasure.Rows, erasure.Files, result.Version);
            return new Erased(erasure.Hash, erasure.Rows, erasure.Files, result.Version);
        }
    }

    /// <summary>Looks at some files, and replaces those that have rows of the device.</summary>
    private async ValueTask RewriteAsync(
        Erasure erasure, DeltaSnapshot snapshot, List<AddFile> suspects, CancellationToken ct)
    {
        var startedAt = time.GetUtcNow();
        var (adds, removes, erased) = (new List<AddFile>(), new List<RemoveFile>(), 0L);
        foreach (var file in suspects)
        {
            if (removes.Count >= FilesPerCommit) break;
            var rows = await files.ReadAsync(erasure.Archive, snapshot, [file], ct).ConfigureAwait(false);
            var kept = new List<int>();
            for (var row = 0; row < rows.Count; row++)
            {
                if (rows.Device.Text(row).SequenceEqual(erasure.Device)) erasure.Partitions.Add(rows.LogPartition[row]);
                else kept.Add(row);
            }

            if (kept.Count == rows.Count)
            {
                erasure.Clean.Add(file.Path);
                continue;
            }

            removes.Add(new RemoveFile(file.Path, 0, DataChange: true));
            erased += rows.Count - kept.Count;
            if (kept.Count == 0) continue;
            var encoded = rows.Encode(kept.ToArray(), file.PartitionValues, options.Value.Compression,
                options.Value.RowGroupRows);
            adds.Add(await files.WriteAsync(erasure.Archive, encoded, startedAt, dataChange: true, ct)
                .ConfigureAwait(false));
        }

        if (removes.Count == 0) return;
        var moves = MovesOf(erasure, snapshot, ArchiveRecords.Begun);
        var result = await erasure.Archive.CommitAsync(
            CommitOf(erasure, "begun", erased, moves, startedAt) with { Adds = adds, Removes = removes }, ct)
            .ConfigureAwait(false);
        if (result.Outcome != DeltaCommitOutcome.Committed) return;
        metrics.RowsRemoved(erasure.Archive.Output, "erased", erased);
        erasure.Rows += erased;
        erasure.Files += removes.Count;
        erasure.Clean.UnionWith(adds.Select(add => add.Path));
    }

    private async ValueTask<DeltaCommitResult> RecordAsync(
        Erasure erasure, DeltaSnapshot snapshot, CancellationToken ct) => await erasure.Archive.CommitAsync(
            CommitOf(erasure, "done", erasure.Rows, MovesOf(erasure, snapshot, ArchiveRecords.Done), time.GetUtcNow()),
            ct).ConfigureAwait(false);

    private static DeltaCommit CommitOf(
        Erasure erasure, string state, long rows, IReadOnlyList<PositionMove> moves, DateTimeOffset at) => new()
        {
            Id = Guid.NewGuid().ToString(),
            Operation = "DELETE",
            Details = new Dictionary<string, string>
            {
                ["reason"] = "erasure",
                ["state"] = state,
                ["device"] = erasure.Hash,
                ["rows"] = rows.ToString(CultureInfo.InvariantCulture),
            },
            Moves = moves,
            FilesWrittenAt = at,
        };

    /// <summary>
    /// Where rows of the device may be: telemetry has one partition for each device, rows of a query may be anywhere.
    /// </summary>
    private IEnumerable<int> PartitionsOf(Erasure erasure, DeltaSnapshot snapshot) => erasure.Archive.Output is null
        ? [Partitioner.PartitionOf(erasure.Device, log.FindTopic(Topics.Telemetry)?.Partitions ?? 1)]
        : ArchiveRecords.PositionsIn(snapshot).Keys;

    /// <summary>Up to where the archive stands in the snapshot that was looked at.</summary>
    private static List<PositionMove> MovesOf(
        Erasure erasure, DeltaSnapshot snapshot, Func<string, int, string> appIdOf)
    {
        var moves = new List<PositionMove>();
        var positions = ArchiveRecords.PositionsIn(snapshot);
        foreach (var partition in erasure.Partitions)
        {
            var appId = appIdOf(erasure.Hash, partition);
            var recorded = snapshot.PositionOf(appId);
            var position = positions.GetValueOrDefault(partition);
            if (recorded is null || recorded < position) moves.Add(new PositionMove(appId, recorded, position));
        }

        return moves;
    }

    private sealed record Erasure(ArchiveTable Archive, byte[] Device, string Hash)
    {
        /// <summary>The log partitions that have rows of the device.</summary>
        public SortedSet<int> Partitions { get; } = [];

        /// <summary>Files that were looked at and have none.</summary>
        public HashSet<string> Clean { get; } = [];

        public long Rows { get; set; }

        public int Files { get; set; }
    }
}
