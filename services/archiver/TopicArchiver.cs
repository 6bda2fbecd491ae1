using Microsoft.Extensions.Logging;
using Millrace.Delta;
using Millrace.EventLog;

namespace Millrace.Archiver;

/// <summary>
/// Follows which partitions of the topic this process works on and keeps a run going over them. A run that fails starts
/// again from the table, which alone knows what is archived. Stopping takes in what the log has and makes it files.
/// </summary>
internal sealed class TopicArchiver(
    ArchiveWriter writer,
    IEventLog log,
    ArchiverAssignment assignment,
    ArchiverOptions options,
    ArchiverMetrics metrics,
    TimeProvider time,
    ILogger logger)
{
    public ArchiveWriter Writer => writer;

    public ArchiverAssignment Assignment => assignment;

    public async Task RunAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();
        using var abort = new CancellationTokenSource();
        await using var registration = stoppingToken.Register(() => abort.CancelAfter(options.StopTimeout));
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await FollowAsync(stoppingToken, abort.Token).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                metrics.Restarted("assignment");
                logger.AssignmentFailed(e, options.RestartDelay);
                await Task.Delay(options.RestartDelay, time, stoppingToken)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task FollowAsync(CancellationToken stopping, CancellationToken abort)
    {
        var current = new SupervisedRun(Task.CompletedTask, new CancellationTokenSource());
        await log.FollowAssignmentAsync(writer.Topic.Group, writer.Topic.Name, async change =>
        {
            await current.StopAsync().ConfigureAwait(false);
            if (change.Kind == AssignmentKind.Assigned) assignment.Add(change.Partitions);
            else assignment.Remove(change.Partitions);
            current = Start(stopping, abort);
        }, stopping).ConfigureAwait(false);
        await current.StopAsync().ConfigureAwait(false);
    }

    private SupervisedRun Start(CancellationToken stopping, CancellationToken abort)
    {
        var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var run = assignment.Partitions.IsEmpty ? Task.CompletedTask : SuperviseAsync(stop.Token, stopping, abort);
        return new SupervisedRun(run, stop);
    }

    private async Task SuperviseAsync(CancellationToken stop, CancellationToken stopping, CancellationToken abort)
    {
        var partitions = assignment.Partitions;
        while (true)
        {
            try
            {
                var run = new ArchiveRun(writer, log, options, metrics, time, logger);
                var outcome = await run.RunAsync(partitions, () => stopping.IsCancellationRequested, stop, abort)
                    .ConfigureAwait(false);
                if (outcome == DeltaCommitOutcome.Committed) return;
                metrics.Restarted(outcome == DeltaCommitOutcome.Expired ? "expired" : "superseded");
                logger.CommitVoid(outcome.ToString());
            }
            catch (OperationCanceledException) when (abort.IsCancellationRequested)
            {
                logger.StoppedEarly();
                return;
            }
            catch (Exception e)
            {
                metrics.Restarted("failed");
                logger.RunFailed(e, options.RestartDelay);
            }

            await Task.Delay(options.RestartDelay, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!stop.IsCancellationRequested) continue;
            logger.StoppedEarly();
            return;
        }
    }

    private sealed record SupervisedRun(Task Task, CancellationTokenSource Stop)
    {
        public async Task StopAsync()
        {
            await Stop.CancelAsync().ConfigureAwait(false);
            await Task.ConfigureAwait(false);
            Stop.Dispose();
        }
    }
}
