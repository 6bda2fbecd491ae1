using System.Collections.Frozen;
using Microsoft.Extensions.Hosting;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Stores.Outputs;
using Millrace.Stores.Queries;
using Millrace.StreamProcessor.Sinks;
using Millrace.StreamProcessor.Sources;

namespace Millrace.StreamProcessor.WarmWriter;

/// <summary>
/// Runs the sinks of the hub's own topics, and one for each query output that is to be kept in the warm store.
/// </summary>
internal sealed class WarmWriterService(
    IEventLog log, SinkStreams streams, TelemetrySink telemetry, AlertSink alerts, DeviceStateSink deviceStates,
    DeadLetterSink letters, IQueryStore queries, IOutputStore outputStore, DeadLetterWriter deadLetters,
    StoreRetry retry, StoredQueriesWatch watch, QueryExtensions extensions, RecordClock clock, TimeProvider time)
    : BackgroundService
{
    private readonly Dictionary<string, Task> _outputs = [];

    /// <summary>Queries whose rows are not to be kept.</summary>
    private volatile FrozenSet<string> _cold = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        Task[] fixedSinks =
        [
            streams.RunAsync(telemetry, Topics.Telemetry, stoppingToken),
            streams.RunAsync(alerts, Topics.Alerts, stoppingToken),
            streams.RunAsync(deviceStates, Topics.Lifecycle, stoppingToken),
            streams.RunAsync(letters, Topics.DeadLetter, stoppingToken),
        ];
        await watch.RunAsync(StartOutputsAsync, stoppingToken);
        await Task.WhenAll([.. fixedSinks, .. _outputs.Values]);
    }

    /// <summary>
    /// A sink that was started stays: rows that a deleted query left behind still reach the store. Those of a query
    /// whose option was taken back do not.
    /// </summary>
    private async Task StartOutputsAsync(CancellationToken stop)
    {
        var stored = await queries.ListAsync(stop);
        _cold = stored.Where(query => !query.Options.WarmOutputs).Select(query => query.Name).ToFrozenSet();
        foreach (var query in stored)
        {
            if (!query.Options.WarmOutputs) continue;
            var plan = SaqlCompiler.Compile(query.Text, CompileOptions.Hub(extensions)).Plan;
            var outputs = plan?.Outputs ?? query.Outputs;
            foreach (var output in outputs.Where(o => o != Topics.Alerts && !_outputs.ContainsKey(o)))
            {
                var hub = log.FindTopic(Topics.Telemetry)!;
                await log.EnsureTopicAsync(new TopicSpec(Topics.Output(output), hub.Partitions), stop);
                var sink = new OutputSink(
                    output, outputStore, row => !_cold.Contains(row.Query), deadLetters, retry, clock, time);
                _outputs.Add(output, streams.RunAsync(sink, Topics.Output(output), stop));
            }
        }
    }
}
