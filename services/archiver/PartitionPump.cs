using System.Threading.Channels;
using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>
/// Reads one partition into the run's queue. A partition that cannot be read does not stop the others.
/// </summary>
internal sealed class PartitionPump(
    IEventLog log,
    TopicPartition partition,
    long start,
    int readBytes,
    ArchiverOptions options,
    ChannelWriter<RecordBatch> queue,
    ArchiverMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    private long _next = start;

    /// <summary>
    /// Reads until <paramref name="stop"/>; then, to drain, what the log has by then, and returns.
    /// <paramref name="abort"/> ends it at once.
    /// </summary>
    public async Task RunAsync(Func<bool> drain, CancellationToken stop, CancellationToken abort)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ReadAsync(stop, abort).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                break;
            }
            catch (Exception e) when (e is not OperationCanceledException)
            {
                metrics.Restarted("read");
                logger.ReadFailed(e, partition.ToString(), _next, options.RestartDelay);
                await Task.Delay(options.RestartDelay, time, stop)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        if (drain()) await DrainAsync(abort).ConfigureAwait(false);
    }

    private async Task ReadAsync(CancellationToken stop, CancellationToken abort)
    {
        await using var reader = log.OpenReader(partition, _next);
        while (true)
        {
            var batch = await reader.ReadAsync(readBytes, stop).ConfigureAwait(false);
            await PassOnAsync(batch, abort).ConfigureAwait(false);
        }
    }

    private async Task DrainAsync(CancellationToken abort)
    {
        var end = (await log.RangeAsync(partition, abort).ConfigureAwait(false)).Next;
        if (_next >= end) return;
        await using var reader = log.OpenReader(partition, _next);
        while (_next < end
            && await reader.TryReadAsync(readBytes, abort).ConfigureAwait(false) is { } batch)
        {
            await PassOnAsync(batch, abort).ConfigureAwait(false);
        }
    }

    private async ValueTask PassOnAsync(RecordBatch batch, CancellationToken abort)
    {
        await queue.WriteAsync(batch, abort).ConfigureAwait(false);
        _next = batch.NextOffset;
    }
}
