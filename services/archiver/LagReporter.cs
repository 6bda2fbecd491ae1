using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>Keeps the lag in <see cref="ArchiverStatus"/> fresh.</summary>
internal sealed class LagReporter(
    IEventLog log,
    ArchiverAssignment assignment,
    ArchiverStatus status,
    IOptions<ArchiverOptions> options,
    TimeProvider time,
    ILogger<LagReporter> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.LagInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
                await ReportAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Stopped.
        }
    }

    private async Task ReportAsync(CancellationToken ct)
    {
        try
        {
            var records = 0L;
            var oldestMs = long.MaxValue;
            foreach (var partition in assignment.Partitions)
            {
                var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
                var committed = await log.CommittedAsync(ConsumerGroups.Archiver, partition, ct).ConfigureAwait(false);
                var next = committed?.NextOffset ?? range.First;
                records += Math.Max(0, range.Next - next);
                if (next >= range.First && next < range.Next)
                    oldestMs = Math.Min(oldestMs, await TimeOfAsync(partition, next, ct).ConfigureAwait(false));
            }

            var lag = oldestMs == long.MaxValue
                ? TimeSpan.Zero
                : time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(oldestMs);
            status.SetLag(records, lag < TimeSpan.Zero ? TimeSpan.Zero : lag);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            logger.LagUnknown(e);
        }
    }

    private async ValueTask<long> TimeOfAsync(TopicPartition partition, long offset, CancellationToken ct)
    {
        await using var reader = log.OpenReader(partition, offset);
        if (await reader.TryReadAsync(bytesMax: 1, ct).ConfigureAwait(false) is not { } batch) return long.MaxValue;
        foreach (var record in batch) return record.TimestampMs;
        return long.MaxValue;
    }
}
