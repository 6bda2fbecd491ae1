using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Delta;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Retention, merging and vacuum by schedule, in the process that archives the first partition. Two that do it for a
/// while do no harm.
/// </summary>
internal sealed class ArchiveUpkeep(
    ArchiveTables tables, Compactor compactor, ArchiveRetention retention, TableVacuum vacuum,
    ArchiverAssignment assignment, ArchiverMetrics metrics, IOptions<ArchiverOptions> options, TimeProvider time,
    ILogger<ArchiveUpkeep> logger)
    : BackgroundService
{
    private static readonly TopicPartition First = new(Topics.Telemetry, 0);

    private readonly ArchiveUpkeepOptions _options = options.Value.Upkeep;
    private readonly Dictionary<string, DateTimeOffset> _vacuumedAt = [];
    private DateTimeOffset _startedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.UpkeepInterval == TimeSpan.Zero) return;
        _startedAt = time.GetUtcNow();
        using var timer = new PeriodicTimer(_options.UpkeepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                if (!assignment.Partitions.Contains(First)) continue;
                IReadOnlyList<ArchiveTable> all = [tables.Telemetry];
                IReadOnlyList<DeltaTable> jobs = [];
                await TryAsync("listing", async ct =>
                {
                    all = await tables.AllAsync(ct).ConfigureAwait(false);
                    jobs = await tables.JobsAsync(ct).ConfigureAwait(false);
                }, stoppingToken).ConfigureAwait(false);
                foreach (var archive in all) await KeepAsync(archive, stoppingToken).ConfigureAwait(false);

                // A run keeps the results of its job in order; this does it where there are no runs any more.
                foreach (var job in jobs)
                    await TryAsync("vacuum", ct => VacuumAsync(job, ct), stoppingToken).ConfigureAwait(false);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped; what was not committed is nothing.
        }
    }

    private async Task TryAsync(string what, Func<CancellationToken, Task> work, CancellationToken ct)
    {
        try
        {
            await work(ct).ConfigureAwait(false);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            metrics.UpkeepFailed(what);
            logger.UpkeepFailed(e, what);
        }
    }

    private async Task KeepAsync(ArchiveTable archive, CancellationToken stop)
    {
        await TryAsync("retention", ct => RetireAsync(archive, ct), stop).ConfigureAwait(false);
        await TryAsync("compaction", ct => CompactAsync(archive, ct), stop).ConfigureAwait(false);
        await TryAsync("vacuum", ct => VacuumAsync(archive.Table, ct), stop).ConfigureAwait(false);
    }

    private async Task RetireAsync(ArchiveTable archive, CancellationToken ct)
    {
        var age = archive.Output is null ? _options.ArchiveRetention : _options.OutputRetention;
        if (age > TimeSpan.Zero) await retention.RunAsync(archive, age, ct).ConfigureAwait(false);
    }

    private async Task CompactAsync(ArchiveTable archive, CancellationToken ct)
    {
        while ((await compactor.RunOnceAsync(archive, all: false, ct).ConfigureAwait(false)).Done)
        {
            // Until nothing is left to merge.
        }
    }

    private async Task VacuumAsync(DeltaTable table, CancellationToken ct)
    {
        var lastAt = _vacuumedAt.GetValueOrDefault(table.Root, _startedAt);
        if (_options.VacuumInterval == TimeSpan.Zero || time.GetUtcNow() - lastAt < _options.VacuumInterval) return;
        await vacuum.RunAsync(table, dryRun: false, ct).ConfigureAwait(false);
        _vacuumedAt[table.Root] = time.GetUtcNow();
    }
}
