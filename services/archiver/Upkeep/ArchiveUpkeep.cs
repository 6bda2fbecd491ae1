using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;

namespace Millrace.Archiver.Upkeep;

/// <summary>
/// Retention, merging and vacuum by schedule, in the process that archives the first partition. Two that do it for a
/// while do no harm.
/// </summary>
internal sealed class ArchiveUpkeep(
    ArchiveTable archive, Compactor compactor, ArchiveRetention retention, ArchiverAssignment assignment,
    ArchiverMetrics metrics, IOptions<ArchiverOptions> options, TimeProvider time, ILogger<ArchiveUpkeep> logger)
    : BackgroundService
{
    private static readonly TopicPartition First = new(Topics.Telemetry, 0);

    private readonly ArchiveUpkeepOptions _options = options.Value.Upkeep;
    private DateTimeOffset _vacuumedAt;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (_options.UpkeepInterval == TimeSpan.Zero) return;
        _vacuumedAt = time.GetUtcNow();
        using var timer = new PeriodicTimer(_options.UpkeepInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                if (!assignment.Partitions.Contains(First)) continue;
                await TryAsync("retention", RetireAsync, stoppingToken).ConfigureAwait(false);
                await TryAsync("compaction", CompactAsync, stoppingToken).ConfigureAwait(false);
                await TryAsync("vacuum", VacuumAsync, stoppingToken).ConfigureAwait(false);
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

    private async Task RetireAsync(CancellationToken ct)
    {
        if (_options.ArchiveRetention > TimeSpan.Zero)
            await retention.RunAsync(_options.ArchiveRetention, ct).ConfigureAwait(false);
    }

    private async Task CompactAsync(CancellationToken ct)
    {
        while ((await compactor.RunOnceAsync(all: false, ct).ConfigureAwait(false)).Done)
        {
            // Until nothing is left to merge.
        }
    }

    private async Task VacuumAsync(CancellationToken ct)
    {
        if (_options.VacuumInterval == TimeSpan.Zero || time.GetUtcNow() - _vacuumedAt < _options.VacuumInterval)
            return;
        var vacuum = await archive.Table.VacuumAsync(dryRun: false, ct).ConfigureAwait(false);
        _vacuumedAt = time.GetUtcNow();
        metrics.Vacuumed(vacuum.Files, vacuum.Bytes);
        logger.Vacuumed(vacuum.Files, vacuum.Bytes);
    }
}
