using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Hosting.Node;
using Millrace.Stores.Alerts;
using Millrace.Stores.Outputs;
using Millrace.Stores.Retained;
using Millrace.Stores.Telemetry;

namespace Millrace.Stores;

/// <summary>Removes what is older than the options, or it itself, say; a little at a time.</summary>
internal sealed class StoreRetention(
    ITelemetryStore telemetry, IAlertStore alerts, IOutputStore outputs, IRetainedStore retained,
    Housekeeping housekeeping, IOptions<StoreOptions> options, TimeProvider time, ILogger<StoreRetention> log)
    : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.RetentionInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
                if (housekeeping.IsHere) await TryExpireAsync(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // What is left goes at the next start.
        }
    }

    private async Task TryExpireAsync(CancellationToken ct)
    {
        try
        {
            await ExpireAsync(ct);
        }
        catch (Exception e) when (!ct.IsCancellationRequested)
        {
            log.RetentionFailed(e);
        }
    }

    private async Task ExpireAsync(CancellationToken ct)
    {
        var (now, keep) = (time.GetUtcNow(), options.Value);
        if (keep.TelemetryRetention > TimeSpan.Zero && !telemetry.ExpiresByItself)
        {
            var count = await telemetry.ExpireAsync((now - keep.TelemetryRetention).ToUnixTimeMilliseconds(), ct);
            Expired(count, "telemetry");
        }

        if (keep.AlertRetention > TimeSpan.Zero)
            Expired(await alerts.ExpireAsync(now - keep.AlertRetention, ct), "alerts");
        if (keep.OutputRetention > TimeSpan.Zero)
            Expired(await outputs.ExpireAsync(now - keep.OutputRetention, ct), "outputs");
        Expired(await retained.ExpireAsync(now, ct), "retained-messages");
    }

    private void Expired(long count, string kind)
    {
        if (count == 0) return;
        StoreMetrics.Expired.Add(count, new KeyValuePair<string, object?>("kind", kind));
        log.RowsExpired(count, kind);
    }
}
