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
    /// <param name="left">Told of a partition that is given back, when its work has ended.</param>
    public Task RunAssignedAsync(
        string group, string topic, Func<TopicPartition, CancellationToken, Task> work, CancellationToken stop,
        Action<TopicPartition>? left = null) =>
        RunAsync($"{group} on {topic}", async ct =>
        {
            var running = new Dictionary<TopicPartition, (CancellationTokenSource Stop, Task Task)>();
            await log.FollowAssignmentAsync(
                group, topic, change => ChangeAsync(change, group, work, left, running), ct);
        }, stop);

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

    private async Task ChangeAsync(
        AssignmentChange change, string group, Func<TopicPartition, CancellationToken, Task> work,
        Action<TopicPartition>? left,
        Dictionary<TopicPartition, (CancellationTokenSource Stop, Task Task)> running)
    {
        if (change.Kind == AssignmentKind.Revoked)
        {
            await EndAsync(change.Partitions, left, running);
            return;
        }

        foreach (var partition in change.Partitions)
        {
            var stop = new CancellationTokenSource();
            running.Add(partition, (stop, RunAsync($"{group} {partition}", ct => work(partition, ct), stop.Token)));
        }
    }

    /// <summary>All are told first, so that they drain at the same time.</summary>
    private static async Task EndAsync(
        IReadOnlyList<TopicPartition> partitions, Action<TopicPartition>? left,
        Dictionary<TopicPartition, (CancellationTokenSource Stop, Task Task)> running)
    {
        var ending = partitions.Where(running.ContainsKey).ToList();
        foreach (var partition in ending) await running[partition].Stop.CancelAsync();
        foreach (var partition in ending)
        {
            await running[partition].Task;
            running[partition].Stop.Dispose();
            running.Remove(partition);
            left?.Invoke(partition);
        }
    }
}
