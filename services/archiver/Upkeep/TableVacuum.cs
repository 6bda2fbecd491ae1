using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Delta;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Deletes what no version of a table needs any more: files, and entries of its log. It is done by age alone, so that
/// what was erased goes also from tables that nobody writes to.
/// </summary>
internal sealed class TableVacuum(
    ArchiverMetrics metrics, IOptions<DeltaTableOptions> options, TimeProvider time, ILogger<TableVacuum> logger)
{
    /// <summary>A store stamps its objects in its own time, and may cut that to the second.</summary>
    private static readonly TimeSpan StampGrain = TimeSpan.FromSeconds(2);

    public async ValueTask<DeltaVacuum> RunAsync(DeltaTable table, bool dryRun, CancellationToken ct)
    {
        var vacuum = await table.VacuumAsync(dryRun, ct).ConfigureAwait(false);
        if (dryRun) return vacuum;
        await TrimLogAsync(table, ct).ConfigureAwait(false);
        metrics.Vacuumed(vacuum.Files, vacuum.Bytes);
        logger.Vacuumed(vacuum.Files, vacuum.Bytes);
        return vacuum;
    }

    /// <summary>
    /// Entries go by <see cref="DeltaTableOptions.LogRetention"/>. Those of before an erasure may have the device as
    /// the least or greatest of a file; they go as soon as the files do.
    /// </summary>
    private async ValueTask TrimLogAsync(DeltaTable table, CancellationToken ct)
    {
        if (await table.RefreshAsync(ct).ConfigureAwait(false) is not { } snapshot) return;
        var now = time.GetUtcNow();
        var (oldest, safe) = (now - options.Value.LogRetention, now - options.Value.VacuumSafeAge);
        var beginsAt = await table.LogBeginsAsync(ct).ConfigureAwait(false);
        if (ArchiveRecords.LastErasedAt(snapshot, safe - StampGrain) is { } erasedAt
            && beginsAt < erasedAt - StampGrain) oldest = safe;
        if (beginsAt < oldest) await table.TrimLogAsync(oldest, ct).ConfigureAwait(false);
    }
}
