using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Stores.Queries;

namespace Millrace.Archiver.Outputs;

/// <summary>
/// Keeps the outputs that are archived equal to what the stored queries ask for. One that is not asked for any more is
/// archived up to where its topic ends by then, also when no process ran meanwhile: its group in the log tells.
/// </summary>
internal sealed class OutputArchives(
    TopicArchivers archivers, IEventLog log, IQueryStore queries, IOptions<ArchiverOptions> options, TimeProvider time,
    ILogger<OutputArchives> logger) : BackgroundService
{
    private readonly Dictionary<string, RunningOutput> _running = [];
    private readonly TimeSpan _interval = options.Value.OutputScanInterval;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ReconcileAsync(stoppingToken).ConfigureAwait(false);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                logger.OutputsUnknown(e, _interval);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            await Task.Delay(_interval, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        await Task.WhenAll(_running.Values.Select(output => output.StopAsync())).ConfigureAwait(false);
    }

    private async Task ReconcileAsync(CancellationToken stop)
    {
        // In this order: a query that is stored meanwhile has no group among these yet.
        var groups = await log.GroupsAsync(stop).ConfigureAwait(false);
        var wanted = (await queries.ListAsync(stop).ConfigureAwait(false))
            .Where(query => query.Options.ArchiveOutputs)
            .SelectMany(query => query.Outputs).Where(output => output != Topics.Alerts)
            .ToHashSet(StringComparer.Ordinal);
        var held = groups.Select(ConsumerGroups.ArchivedOutputOf).OfType<string>();
        foreach (var output in wanted.Union(held).Where(output => !_running.ContainsKey(output)))
            await StartAsync(output, stop).ConfigureAwait(false);
        foreach (var (output, running) in _running.ToList())
        {
            if (wanted.Contains(output)) running.Ends = null;
            else if (await IsAtEndAsync(output, running, stop).ConfigureAwait(false))
                await EndAsync(output, running, stop).ConfigureAwait(false);
        }
    }

    private async Task StartAsync(string output, CancellationToken stop)
    {
        var hub = log.FindTopic(Topics.Telemetry)!.Partitions;
        await log.EnsureTopicAsync(new TopicSpec(Topics.Output(output), hub), stop).ConfigureAwait(false);
        _running.Add(output, RunningOutput.Start(archivers.AddOutput(output), stop));
        logger.OutputStarted(output);
    }

    /// <summary>Whether all is archived that was there when it was first seen that nobody asks for it.</summary>
    private async Task<bool> IsAtEndAsync(string output, RunningOutput running, CancellationToken ct)
    {
        var topic = Topics.Output(output);
        var partitions = log.FindTopic(topic)!.Partitions;
        if (running.Ends is not { } ends)
        {
            running.Ends = ends = new long[partitions];
            for (var number = 0; number < partitions; number++)
                ends[number] = (await log.RangeAsync(new(topic, number), ct).ConfigureAwait(false)).Next;
        }

        for (var number = 0; number < partitions; number++)
        {
            var committed = await log.CommittedAsync(ConsumerGroups.OfArchive(output), new(topic, number), ct)
                .ConfigureAwait(false);

            // Another process may have let go of the group: then it was at the end.
            if (committed?.NextOffset < ends[number]) return false;
        }

        return true;
    }

    private async Task EndAsync(string output, RunningOutput running, CancellationToken ct)
    {
        await running.StopAsync().ConfigureAwait(false);
        _running.Remove(output);
        archivers.RemoveOutput(output);
        await log.ForgetGroupAsync(ConsumerGroups.OfArchive(output), ct).ConfigureAwait(false);
        logger.OutputEnded(output);
    }

    private sealed class RunningOutput(Task work, CancellationTokenSource stop)
    {
        /// <summary>Up to where it is archived yet, by partition; null while it is asked for.</summary>
        public long[]? Ends { get; set; }

        public static RunningOutput Start(TopicArchiver archiver, CancellationToken stopping)
        {
            var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
            return new RunningOutput(archiver.RunAsync(stop.Token), stop);
        }

        public async Task StopAsync()
        {
            await stop.CancelAsync().ConfigureAwait(false);
            await work.ConfigureAwait(false);
            stop.Dispose();
        }
    }
}
