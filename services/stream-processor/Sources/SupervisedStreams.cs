using Microsoft.Extensions.Logging;
using Millrace.Contracts;
using Millrace.EventLog;

namespace Millrace.StreamProcessor.Sources;

/// <summary>
/// Runs work for each partition of a topic that this process is assigned, starts it again after a failure with growing
/// delays, and drains it before a partition is given back.
/// </summary>
internal sealed class SupervisedStreams(
    IEventLog log, StreamProcessorOptions options, TimeProvider time, ILogger logger)
{
    /// <param name="work">Runs until the token is cancelled; then it finishes what is in flight and returns.</param>
    public async Task RunAssignedAsync(
        string group, string topic, Func<TopicPartition, CancellationToken, Task> work, CancellationToken stop)
    {
        var running = new Dictionary<TopicPartition, (CancellationTokenSource Stop, Task Task)>();
        try
        {
            await foreach (var change in log.WatchAssignmentAsync(group, topic, stop))
            {
                foreach (var partition in change.Partitions)
                {
                    if (change.Kind == AssignmentKind.Assigned)
                    {
                        var own = CancellationTokenSource.CreateLinkedTokenSource(stop);
                        var task = RunAsync($"{group} {partition}", ct => work(partition, ct), own.Token);
                        running[partition] = (own, task);
                    }
                    else if (running.Remove(partition, out var stream)) await EndAsync(stream);
                }

                if (change.Kind == AssignmentKind.Revoked) change.Complete();
            }
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // Everything is drained below.
        }

        foreach (var stream in running.Values) await EndAsync(stream);
    }

    /// <summary>Runs one piece of work, again after each failure, until the token is cancelled or it ends by
    /// itself.</summary>
    public async Task RunAsync(string name, Func<CancellationToken, Task> work, CancellationToken stop)
    {
        var delay = options.RestartDelayMin;
        while (!stop.IsCancellationRequested)
        {
            var started = time.GetTimestamp();
            try
            {
                await work(stop);
                return;
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // One that ran well for a while begins again with short waits.
                if (time.GetElapsedTime(started) > options.RestartDelayMax) delay = options.RestartDelayMin;
                StreamProcessorMetrics.Restarts.Add(1);
                logger.StreamFailed(name, delay, e);
            }

            await Task.Delay(delay, time, stop).ContinueWith(_ => { }, TaskScheduler.Default);
            delay = delay * 2 < options.RestartDelayMax ? delay * 2 : options.RestartDelayMax;
        }
    }

    private static async Task EndAsync((CancellationTokenSource Stop, Task Task) stream)
    {
        await stream.Stop.CancelAsync();
        await stream.Task;
        stream.Stop.Dispose();
    }
}
