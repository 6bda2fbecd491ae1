using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.ObjectStore;

namespace Millrace.ColdPath.Runs;

/// <summary>
/// Keeps the tables of jobs' results in order after runs: checkpoints of their logs, and no files for long that later
/// runs replaced. Those of jobs that are not run any more the archiver sees to.
/// </summary>
internal sealed class ResultUpkeep(
    IObjectStore store, IOptions<ColdPathOptions> options, IOptions<DeltaTableOptions> delta, ColdPathMetrics metrics,
    TimeProvider time, ILogger<ResultUpkeep> log)
{
    private readonly ConcurrentDictionary<string, DateTimeOffset> _vacuumedAt = new();

    /// <summary>The results stand, whatever becomes of this; the next run makes up for it.</summary>
    public async Task KeepAsync(string job, CancellationToken ct)
    {
        try
        {
            using var table = new DeltaTable(store, BatchTable.OfJob(job).Root, time, delta.Value);
            if (await table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot) return;
            await table.TidyLogAsync(snapshot.Version, ct).ConfigureAwait(false);
            await VacuumAsync(job, table, ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            metrics.UpkeepFailed(job);
            log.ResultsNotKept(e, job);
        }
    }

    private async Task VacuumAsync(string job, DeltaTable table, CancellationToken ct)
    {
        var (interval, now) = (options.Value.VacuumInterval, time.GetUtcNow());
        if (interval == TimeSpan.Zero) return;
        if (_vacuumedAt.TryGetValue(job, out var last) && now - last < interval) return;
        var vacuum = await table.VacuumAsync(dryRun: false, ct).ConfigureAwait(false);
        _vacuumedAt[job] = now;
        metrics.Vacuumed(job, vacuum.Files);
        if (vacuum.Files > 0) log.ResultsVacuumed(job, vacuum.Files, vacuum.Bytes);
    }
}
