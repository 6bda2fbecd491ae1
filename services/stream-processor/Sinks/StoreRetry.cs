using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Stores;

namespace Millrace.StreamProcessor.Sinks;

/// <summary>
/// Writes to a store that may be away or overloaded: a failure that passes is tried again with growing pauses, for as
/// long as it lasts.
/// </summary>
internal sealed class StoreRetry(
    IOptions<StreamProcessorOptions> options, TimeProvider time, ILogger<StoreRetry> logger)
{
    private static readonly TimeSpan SaidOnceIn = TimeSpan.FromMinutes(1);

    /// <param name="write">Changes nothing when it is done again.</param>
    /// <param name="stop">What was begun is finished; what fails after this is not tried again.</param>
    public async ValueTask RunAsync(
        string sink, TopicPartition partition, Func<ValueTask> write, CancellationToken stop)
    {
        var (delay, tries) = (options.Value.RestartDelayMin, 0);
        var (failedAt, saidAt) = (0L, 0L);
        while (true)
        {
            try
            {
                await write();
                if (tries > 0) logger.StoreTakesAgain(sink, partition.ToString(), tries, time.GetElapsedTime(failedAt));
                return;
            }
            catch (MillraceException e) when (StoreErrors.Passes(e.Error) && !stop.IsCancellationRequested)
            {
                if (tries++ == 0) failedAt = time.GetTimestamp();
                StreamProcessorMetrics.WriteRetries.Add(
                    1, StreamProcessorMetrics.Sink(sink), new KeyValuePair<string, object?>("reason", e.Error.Code));
                if (tries == 1 || time.GetElapsedTime(saidAt) >= SaidOnceIn)
                {
                    saidAt = time.GetTimestamp();
                    logger.StoreRefuses(sink, partition.ToString(), tries, e.Error.ToString());
                }
            }

            await Task.Delay(delay, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            delay = delay * 2 < options.Value.RestartDelayMax ? delay * 2 : options.Value.RestartDelayMax;
        }
    }
}
