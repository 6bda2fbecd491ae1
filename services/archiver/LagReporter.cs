using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>Keeps the lag in <see cref="ArchiverStatus"/> fresh.</summary>
internal sealed class LagReporter(
    IEventLog log,
    TopicArchivers archivers,
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
            var outputs = new Dictionary<string, ArchiveLag>();
            foreach (var archiver in archivers.All)
            {
                var lag = await LagAsync(archiver, ct).ConfigureAwait(false);
                if (archiver.Writer.Topic.Output is { } output) outputs.Add(output, lag);
                else status.TelemetryLag = lag;
            }

            status.OutputLags = outputs;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            logger.LagUnknown(e);
        }
    }

    private async ValueTask<ArchiveLag> LagAsync(TopicArchiver archiver, CancellationToken ct)
    {
        var (records, oldestMs) = (0L, long.MaxValue);
        foreach (var partition in archiver.Assignment.Partitions)
        {
            var range = await log.RangeAsync(partition, ct).ConfigureAwait(false);
            var committed = await log.CommittedAsync(archiver.Writer.Topic.Group, partition, ct).ConfigureAwait(false);
            var next = committed?.NextOffset ?? range.First;
            records += Math.Max(0, range.Next - next);
            if (next >= range.First && next < range.Next)
                oldestMs = Math.Min(oldestMs, await TimeOfAsync(partition, next, ct).ConfigureAwait(false));
        }

        var lag = oldestMs == long.MaxValue
            ? TimeSpan.Zero
            : time.GetUtcNow() - DateTimeOffset.FromUnixTimeMilliseconds(oldestMs);
        return new ArchiveLag(records, lag < TimeSpan.Zero ? TimeSpan.Zero : lag);
    }

    private async ValueTask<long> TimeOfAsync(TopicPartition partition, long offset, CancellationToken ct)
    {
        await using var reader = log.OpenReader(partition, offset);
        if (await reader.TryReadAsync(bytesMax: 1, ct).ConfigureAwait(false) is not { } batch) return long.MaxValue;
        foreach (var record in batch) return record.TimestampMs;
        return long.MaxValue;
    }
}
