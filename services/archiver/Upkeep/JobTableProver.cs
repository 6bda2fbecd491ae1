using System.Text;
using Microsoft.Extensions.Options;
using Millrace.Archiver.Rewriting;
using Millrace.Delta;
using Millrace.Delta.Pruning;
using Millrace.ObjectStore;
using Millrace.Stores.Jobs;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Looks whether the results of jobs have rows of an erased device. A row there has no place in the log; what was made
/// by a run that began after all was erased is of what the device sent later, and anything else of before.
/// </summary>
internal sealed class JobTableProver(
    IObjectStore store, IJobStore runs, IOptions<DeltaTableOptions> options, TimeProvider time)
{
    /// <summary>A run may read its rows so much earlier than the time that its files bear.</summary>
    private static readonly TimeSpan ReadAhead = TimeSpan.FromMinutes(1);

    /// <param name="erasedAt">When the erasure of all tables was done; null when none was.</param>
    /// <returns>Null of a table that names no devices.</returns>
    public async ValueTask<ErasureProof?> ProveAsync(
        DeltaTable table, string deviceId, DateTimeOffset? erasedAt, CancellationToken ct)
    {
        // Asked first: what ends meanwhile is then part of the table that is read.
        var run = erasedAt is { } at ? await UnderWayAsync(table, at + ReadAhead, ct).ConfigureAwait(false) : null;
        if (await table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot
            || JobFile.DeviceOf(snapshot.Schema) is not { } column) return null;
        var (hash, device) = (ArchiveRecords.HashOf(deviceId), Encoding.UTF8.GetBytes(deviceId));
        var untilMs = (erasedAt + ReadAhead)?.ToUnixTimeMilliseconds() ?? long.MinValue;
        var suspects = snapshot.FilesWithin([ColumnRange.Of(column, deviceId)]);
        var (found, later) = (0L, 0L);
        foreach (var suspect in suspects)
        {
            using var file = await JobTableEraser.ReadAsync(store, table, snapshot, suspect, ct).ConfigureAwait(false);
            if (suspect.ModificationTimeMs <= untilMs) found += file.CountOf(device);
            else later += file.CountOf(device);
        }

        var old = await table.LeftoversAsync(ct).ConfigureAwait(false);
        return new ErasureProof(hash, table.Root, snapshot.Version, ArchiveRecords.ErasuresOf(snapshot, hash),
            suspects.Count, found, later, old.Files, old.GoBy)
        {
            RunUnderWay = run,
        };
    }

    /// <summary>
    /// The job's newest run, when it began by then and has not ended. One process at a time runs a job, so an older one
    /// that never said how it ended is dead, as is one whose files no table takes any more.
    /// </summary>
    private async ValueTask<string?> UnderWayAsync(DeltaTable table, DateTimeOffset byThen, CancellationToken ct)
    {
        var newest = (await runs.ListRunsAsync(JobTable.JobOf(table.Root), 1, ct).ConfigureAwait(false))
            .FirstOrDefault();
        return newest is { State: JobRunState.Running } && newest.StartedAt <= byThen
            && time.GetUtcNow() - newest.StartedAt <= options.Value.VacuumSafeAge ? newest.Id : null;
    }
}
