using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Rewriting;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Pruning;
using Millrace.ObjectStore;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Takes the rows of one device out of the results of a job, as <see cref="DeviceEraser"/> does with the archive's own
/// tables. Rows of results have no place in a log: all of the device's go that are there, and the positions that record
/// it are times, in milliseconds since 1970. A run that replaces its part meanwhile and this are safe from each other:
/// the later commit is void, for a file that it removes is gone, and starts again from what the earlier left.
/// </summary>
internal sealed class JobTableEraser(
    IObjectStore store, IOptions<ArchiverOptions> options, ArchiverMetrics metrics, TimeProvider time,
    ILogger<JobTableEraser> logger)
{
    /// <summary>The log partition under which a table of results records its erasures.</summary>
    private const int NoPartition = 0;

    private const int FilesPerCommit = 32;

    /// <summary>The rows and the files that went; nothing of a table that names no devices.</summary>
    public async ValueTask<(long Rows, int Files)> RunAsync(DeltaTable table, string deviceId, CancellationToken ct)
    {
        var found = await table.RefreshAsync(ct).ConfigureAwait(false);
        if (found is null || JobFile.DeviceOf(found.Schema) is not { } column) return (0, 0);
        var work = new Work(table, ArchiveRecords.HashOf(deviceId), Encoding.UTF8.GetBytes(deviceId));
        var upTo = time.GetUtcNow().ToUnixTimeMilliseconds();
        upTo = Math.Max(upTo, found.PositionOf(ArchiveRecords.Begun(work.Hash, NoPartition)) ?? 0);
        await RecordAsync(work, "begun", ArchiveRecords.Begun(work.Hash, NoPartition), upTo, ct).ConfigureAwait(false);
        while (true)
        {
            var snapshot = (await table.RefreshAsync(ct).ConfigureAwait(false))!;
            var suspects = snapshot.FilesWithin([ColumnRange.Of(column, deviceId)])
                .Where(file => !work.Clean.Contains(file.Path)).Take(FilesPerCommit).ToList();
            if (suspects.Count == 0) break;
            await TryRewriteAsync(work, snapshot, suspects, ct).ConfigureAwait(false);
        }

        var version = await RecordAsync(work, "done", ArchiveRecords.Done(work.Hash, NoPartition), upTo, ct)
            .ConfigureAwait(false);
        await table.CheckpointAsync(ct).ConfigureAwait(false);
        logger.DeviceErased(table.Root, work.Hash, work.Rows, work.Files, version);
        return (work.Rows, work.Files);
    }

    /// <summary>Looks at the files, and replaces those with rows of the device; void when a run was faster.</summary>
    private async ValueTask TryRewriteAsync(
        Work work, DeltaSnapshot snapshot, List<AddFile> suspects, CancellationToken ct)
    {
        var startedAt = time.GetUtcNow();
        var (adds, removes, erased) = (new List<AddFile>(), new List<RemoveFile>(), 0L);
        foreach (var suspect in suspects)
        {
            using var file = await ReadAsync(store, work.Table, snapshot, suspect, ct).ConfigureAwait(false);
            var kept = file.Without(work.Device);
            if (kept.Count == file.Count)
            {
                work.Clean.Add(suspect.Path);
                continue;
            }

            removes.Add(new RemoveFile(suspect.Path, 0, DataChange: true));
            erased += file.Count - kept.Count;
            if (kept.Count == 0) continue;
            var path = $"{suspect.Path[..suspect.Path.LastIndexOf('/')]}/{Guid.NewGuid():N}.parquet";
            var encoded = file.Encode(kept.ToArray(), path, suspect.PartitionValues, options.Value.Compression,
                options.Value.RowGroupRows);

            // The rows are as old as they were: what of them is of before another erasure is told by that.
            var add = encoded.ToAction(DateTimeOffset.FromUnixTimeMilliseconds(suspect.ModificationTimeMs));
            await store.PutAsync(work.Table.KeyOf(add), encoded.Content, ct).ConfigureAwait(false);
            adds.Add(add);
        }

        if (removes.Count == 0) return;
        var result = await work.Table.CommitAsync(
            ArchiveRecords.ErasureCommit(work.Hash, "begun", erased, [], startedAt) with
            {
                Adds = adds,
                Removes = removes,
            }, ct).ConfigureAwait(false);
        metrics.Conflicts(result.Conflicts);
        if (result.Outcome != DeltaCommitOutcome.Committed) return;
        work.Rows += erased;
        work.Files += removes.Count;
        work.Clean.UnionWith(adds.Select(add => add.Path));
    }

    private async ValueTask<long> RecordAsync(
        Work work, string state, string record, long upTo, CancellationToken ct)
    {
        while (true)
        {
            var snapshot = (await work.Table.RefreshAsync(ct).ConfigureAwait(false))!;
            var recorded = snapshot.PositionOf(record);
            PositionMove[] moves = recorded >= upTo ? [] : [new PositionMove(record, recorded, upTo)];
            var result = await work.Table.CommitAsync(
                ArchiveRecords.ErasureCommit(work.Hash, state, state == "done" ? work.Rows : 0, moves,
                    time.GetUtcNow()), ct).ConfigureAwait(false);
            metrics.Conflicts(result.Conflicts);
            if (result.Outcome == DeltaCommitOutcome.Committed) return result.Version;
        }
    }

    /// <summary>The file's rows. AR-0008 when it is not there.</summary>
    public static async ValueTask<JobFile> ReadAsync(
        IObjectStore store, DeltaTable table, DeltaSnapshot snapshot, AddFile file, CancellationToken ct)
    {
        var key = table.KeyOf(file);
        var content = await store.GetAsync(key, ct).ConfigureAwait(false)
            ?? throw ArchiverErrors.FileMissing.With(key).AsException();
        return new JobFile(content, snapshot.Schema);
    }

    private sealed record Work(DeltaTable Table, string Hash, byte[] Device)
    {
        /// <summary>Files that were looked at and have none.</summary>
        public HashSet<string> Clean { get; } = [];

        public long Rows { get; set; }

        public int Files { get; set; }
    }
}
