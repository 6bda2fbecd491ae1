using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.ObjectStore;

namespace Millrace.ColdPath.Runs;

/// <summary>Deletes old objects that runs with output parquet wrote. Several processes that do it do no harm.</summary>
internal sealed class ResultRetention(
    IObjectStore store, IOptions<ColdPathOptions> options, ColdPathMetrics metrics, TimeProvider time,
    ILogger<ResultRetention> log) : BackgroundService
{
    private const string What = "results";
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1);

    public async Task SweepAsync(CancellationToken ct)
    {
        var oldest = time.GetUtcNow() - options.Value.ResultRetention;
        var (files, bytes) = (0, 0L);
        await foreach (var found in store.ListAsync(ColdJobs.ResultsPrefix + "/", ct: ct).ConfigureAwait(false))
        {
            if (found.ModifiedAt >= oldest) continue;
            await store.DeleteAsync(found.Key, ct).ConfigureAwait(false);
            (files, bytes) = (files + 1, bytes + found.Bytes);
        }

        if (files == 0) return;
        metrics.Retired(files);
        log.ResultsRetired(files, bytes);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.ResultRetention == TimeSpan.Zero) return;
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            try
            {
                await SweepAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                metrics.UpkeepFailed(What);
                log.ResultsNotRetired(e);
            }
        }
    }
}
