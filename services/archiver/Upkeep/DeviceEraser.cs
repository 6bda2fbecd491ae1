using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Rewriting;
using Millrace.Contracts;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.EventLog;

namespace Millrace.Archiver.Upkeep;

/// <summary>What an erasure did.</summary>
internal sealed record Erased(string DeviceHash, long Rows, int FilesRewritten, long Version)
{
    /// <summary>Rows of jobs' results that are gone.</summary>
    public long JobRows { get; init; }

    /// <summary>Dead letters that lost what they had of the device.</summary>
    public int DeadLetters { get; init; }
}

/// <summary>
/// Takes the rows of one device that the table has at the beginning out of it: files that have some are written again
/// without them. Each commit says in the same step up to which offset of a log partition rows of the device may be
/// gone, and the last one that they are: every file of one version was looked at, and what came into the table since
/// was made of these files, or of records that lie behind. Cut off, it is done again from the start and ends the same.
/// </summary>
internal sealed class DeviceEraser(
    TableFiles files, IEventLog log, IOptions<ArchiverOptions> options, ArchiverMetrics metrics,
    TimeProvider time, ILogger<DeviceEraser> logger)
{
    /// <summary>Files that one commit replaces; a merge that comes between costs no more work than theirs.</summary>
    private const int FilesPerCommit = 32;

    public async ValueTask<Erased> RunAsync(ArchiveTable archive, string deviceId, CancellationToken ct) =>
        await RewriteAsync(archive, deviceId, ct).ConfigureAwait(false) is { } erasure
            ? await RecordAsync(erasure, ct).ConfigureAwait(false)
            : new Erased(ArchiveRecords.HashOf(deviceId), 0, 0, -1);

    /// <summary>
    /// Takes the rows out, and leaves it to <see cref="RecordAsync"/> to say that they are gone. Null when there is no
    /// table.
    /// </summary>
    public async ValueTask<Erasure?> RewriteAsync(ArchiveTable archive, string deviceId, CancellationToken ct)
    {
        var hash = ArchiveRecords.HashOf(deviceId);
        var snapshot = await archive.Table.RefreshAsync(ct).ConfigureAwait(false);
        if (snapshot is null) return null;
        var erasure = new Erasure(
            archive, Encoding.UTF8.GetBytes(deviceId), hash, ArchiveRecords.PositionsIn(snapshot));
        erasure.Partitions.UnionWith(PartitionsOf(erasure));

        // Of one that was cut off, rows may be gone where now there are none to be found.
        erasure.Partitions.UnionWith(
            ArchiveRecords.ErasuresOf(snapshot, hash).Select(record => record.LogPartition));
        snapshot = await BeginAsync(erasure, ct).ConfigureAwait(false);
        while (!await TryRewriteAllAsync(erasure, snapshot, deviceId, ct).ConfigureAwait(false))
            snapshot = (await archive.Table.RefreshAsync(ct).ConfigureAwait(false))!;
        return erasure;
    }

    /// <summary>
    /// Says that the rows are gone, and writes it as a checkpoint: entries of before, which may name the device, are
    /// not needed for long then, however quiet the table is.
    /// </summary>
    public async ValueTask<Erased> RecordAsync(Erasure erasure, CancellationToken ct)
    {
        var table = erasure.Archive.Table;
        while (true)
        {
            var snapshot = (await table.RefreshAsync(ct).ConfigureAwait(false))!;
            var moves = erasure.Partitions.Select(partition => DoneMove(erasure, snapshot, partition)).ToList();
            var result = await erasure.Archive.CommitAsync(
                ArchiveRecords.ErasureCommit(erasure.Hash, "done", erasure.Rows, moves, time.GetUtcNow()), ct)
                .ConfigureAwait(false);
            if (result.Outcome != DeltaCommitOutcome.Committed) continue;
            await table.CheckpointAsync(ct).ConfigureAwait(false);
            logger.DeviceErased(table.Root, erasure.Hash, erasure.Rows, erasure.Files, result.Version);
            return new Erased(erasure.Hash, erasure.Rows, erasure.Files, result.Version);
        }
    }

    /// <summary>
    /// Looks at all files of the version that may have rows of the device. False when one of them was replaced by
    /// others meanwhile, which may have them now.
    /// </summary>
    private async ValueTask<bool> TryRewriteAllAsync(
        Erasure erasure, DeltaSnapshot snapshot, string deviceId, CancellationToken ct)
    {
        foreach (var suspects in snapshot.FilesWithin([ColumnRange.Of("device_id", deviceId)])
            .Where(file => !erasure.Clean.Contains(file.Path)).Chunk(FilesPerCommit))
        {
            if (!await TryRewriteAsync(erasure, snapshot, suspects, ct).ConfigureAwait(false)) return false;
        }

        return true;
    }

    /// <summary>Looks at some files, and replaces those that have rows of the device.</summary>
    private async ValueTask<bool> TryRewriteAsync(
        Erasure erasure, DeltaSnapshot snapshot, AddFile[] suspects, CancellationToken ct)
    {
        var startedAt = time.GetUtcNow();
        var (adds, removes, erased) = (new List<AddFile>(), new List<RemoveFile>(), 0L);
        foreach (var file in suspects)
        {
            var rows = await files.ReadAsync(erasure.Archive, snapshot, [file], ct).ConfigureAwait(false);
            var kept = new List<int>();
            for (var row = 0; row < rows.Count; row++)
            {
                if (erasure.Has(rows, row)) erasure.Partitions.Add(rows.LogPartition[row]);
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
                options.Value.RowGroups);
            adds.Add(await files.WriteAsync(erasure.Archive, encoded, startedAt, dataChange: true, ct)
                .ConfigureAwait(false));
        }

        if (removes.Count == 0) return true;
        var begun = erasure.Partitions.Except(erasure.Begun).ToList();
        var moves = BegunMoves(erasure, snapshot, begun);
        var result = await erasure.Archive.CommitAsync(
            ArchiveRecords.ErasureCommit(erasure.Hash, "begun", erased, moves, startedAt) with
            {
                Adds = adds,
                Removes = removes,
            }, ct).ConfigureAwait(false);
        if (result.Outcome != DeltaCommitOutcome.Committed) return false;
        metrics.RowsRemoved(erasure.Archive.Output, "erased", erased);
        erasure.Rows += erased;
        erasure.Files += removes.Count;
        erasure.Begun.UnionWith(begun);
        erasure.Clean.UnionWith(adds.Select(add => add.Path));
        return true;
    }

    /// <summary>
    /// Says that rows of the device may be gone before it is looked for any: what is replayed from here on sees it, and
    /// makes no row, and what was replayed before is looked at.
    /// </summary>
    private async ValueTask<DeltaSnapshot> BeginAsync(Erasure erasure, CancellationToken ct)
    {
        while (true)
        {
            var snapshot = (await erasure.Archive.Table.RefreshAsync(ct).ConfigureAwait(false))!;
            var moves = BegunMoves(erasure, snapshot, erasure.Partitions);
            if (moves.Count == 0)
            {
                erasure.Begun.UnionWith(erasure.Partitions);
                return snapshot;
            }

            await erasure.Archive.CommitAsync(
                ArchiveRecords.ErasureCommit(erasure.Hash, "begun", 0, moves, time.GetUtcNow()), ct)
                .ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Where rows of the device may be: telemetry has one partition for each device, rows of a query may be anywhere.
    /// </summary>
    private IEnumerable<int> PartitionsOf(Erasure erasure) => erasure.Archive.Output is null
        ? [Partitioner.PartitionOf(erasure.Device, log.FindTopic(Topics.Telemetry)?.Partitions ?? 1)]
        : erasure.Before.Keys;

    /// <summary>Up to where the archive stood at the beginning, unless more is recorded there.</summary>
    private static List<PositionMove> BegunMoves(Erasure erasure, DeltaSnapshot snapshot, IEnumerable<int> partitions)
    {
        var moves = new List<PositionMove>();
        foreach (var partition in partitions)
        {
            var appId = ArchiveRecords.Begun(erasure.Hash, partition);
            var recorded = snapshot.PositionOf(appId);
            var position = erasure.Before.GetValueOrDefault(partition);
            if (recorded is null || recorded < position) moves.Add(new PositionMove(appId, recorded, position));
        }

        return moves;
    }

    /// <summary>The same; one that moves nowhere tells when the device was last erased.</summary>
    private static PositionMove DoneMove(Erasure erasure, DeltaSnapshot snapshot, int partition)
    {
        var appId = ArchiveRecords.Done(erasure.Hash, partition);
        var recorded = snapshot.PositionOf(appId);
        return new PositionMove(
            appId, recorded, Math.Max(recorded ?? 0, erasure.Before.GetValueOrDefault(partition)));
    }
}

/// <summary>An erasure from one table that is under way.</summary>
/// <param name="Before">The offsets, by log partition, before which rows of the device are erased.</param>
internal sealed record Erasure(ArchiveTable Archive, byte[] Device, string Hash, Dictionary<int, long> Before)
{
    /// <summary>The log partitions that have rows of the device.</summary>
    public SortedSet<int> Partitions { get; } = [];

    /// <summary>Those of them of which the table knows that rows may be gone.</summary>
    public HashSet<int> Begun { get; } = [];

    /// <summary>Files that were looked at and have none.</summary>
    public HashSet<string> Clean { get; } = [];

    public long Rows { get; set; }

    public int Files { get; set; }

    public bool Has(RowSet rows, int row) => rows.Device.Text(row).SequenceEqual(Device)
        && rows.LogOffset[row] < Before.GetValueOrDefault(rows.LogPartition[row]);
}
