using System.Globalization;
using System.Text;
using System.Text.Json;
using Millrace.Benchmarks.EventLog;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.StreamProcessor;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Pipeline;

/// <summary>
/// A query from Kafka to Kafka through the stages of the stream processor: consumer, engine, producer, with epochs and
/// checkpoints; and how much of it is the Kafka library's, and how much the engine's. BENCH_EVENTS says how many
/// events.
/// </summary>
internal static class PipelineBenchmark
{
    private const long EventsDefault = 10_000_000, EngineEventsMax = 2_000_000;
    private const int Partitions = 4, Turns = 3;
    private const double GoalUs = 1.0, WindowGoalUs = 0.05;
    private const string Device = "IoTHub.ConnectionDeviceId", Variable = "BENCH_EVENTS";

    private static readonly string Query = string.Create(CultureInfo.InvariantCulture,
        $"""
        SELECT {Device} AS device, AVG(temperature) AS average INTO averages FROM telemetry
        GROUP BY {Device}, TumblingWindow(second, {FleetEvents.WindowSeconds})
        HAVING AVG(temperature) > {FleetEvents.Threshold}
        """);

    /// <summary>Reads the same fields, and has no window.</summary>
    private const string ReadOnly =
        $"SELECT {Device} AS device, temperature INTO averages FROM telemetry WHERE temperature < 0";

    public static async Task RunAsync(Report report)
    {
        await using var set = await EngineSet.StartAsync("kafka", 1, "1g");
        if (set is null)
        {
            report.Line("Not run: there is no engines command to start Kafka with.");
            return;
        }

        var events = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } text
            ? long.Parse(text, CultureInfo.InvariantCulture) : EventsDefault;
        var kafka = new KafkaLogOptions
        {
            BootstrapServers = set.Variables["KAFKA_BOOTSTRAP_SERVERS"],
            Topics = { ReplicationFactor = 1, InSyncReplicasMin = 1 },
        };
        await using var run = new ProcessorRun(kafka, Partitions);
        await run.StartAsync();
        var broker = int.Parse(await File.ReadAllTextAsync(set.PathOf(1, "pid")), CultureInfo.InvariantCulture);
        await RunAsync(report, run, kafka, broker, events);
    }

    private static async Task RunAsync(
        Report report, ProcessorRun run, KafkaLogOptions kafka, int broker, long events)
    {
        report.Line($"{events:n0} JSON events of {FleetEvents.BodyBytes} B with the device as key, lz4, "
            + $"{Partitions} partitions, {FleetEvents.Devices:n0} devices with 100 events a window; one broker on the "
            + $"same cores. Median of {Turns} turns. CPU in microseconds an event: of this process, and of the "
            + "broker's.");
        report.Line();
        report.Line($"    {Query.Replace("\n", "\n    ", StringComparison.Ordinal)}");
        report.Line();
        var fleet = new FleetEvents();
        report.Line("| | events/s | CPU us | broker's CPU us |");
        report.Line("|---|---:|---:|---:|");
        await RowAsync(report, "append the events", 1, () => CpuCost.MeasureAsync(broker, events,
            () => fleet.AppendAsync(run.Log, events, Partitions)));

        var bytesMax = (int)new StreamProcessorOptions().ReadBytesMax.Bytes;
        var readers = new TopicReaders(kafka, Topics.Telemetry, Partitions, events);
        Task<CpuCost> ReadAsync(Func<Task> work) => CpuCost.MeasureAsync(broker, events, work);
        await RowAsync(report, "read: Confluent.Kafka, `Consume`", Turns, () => ReadAsync(() =>
            Task.Run(readers.Confluent)));
        var library = await RowAsync(report, "read: the library beneath it, in batches", Turns, () => ReadAsync(() =>
            Task.Run(readers.Library)));
        var reader = await RowAsync(report, "read: the platform's readers", Turns, () => ReadAsync(() =>
            readers.PlatformAsync(run.Log, bytesMax)));

        var turns = await EngineTurns.ReadAsync(run.Log, Partitions, Math.Min(events, EngineEventsMax), bytesMax);
        Task<CpuCost> EngineAsync(string text) => CpuCost.MeasureAsync(broker, turns.Events, () =>
        {
            turns.Run(text);
            return Task.CompletedTask;
        });
        var decoding = await RowAsync(report, "engine over bytes in memory: the same fields, no window", Turns,
            () => EngineAsync(ReadOnly));
        var engine = await RowAsync(report, "engine over bytes in memory: the query", Turns, () => EngineAsync(Query));

        var (all, streams) = await InTurnsAsync(run, kafka, broker, events, fleet);
        all.Tell(report, "**Kafka to Kafka: the query in the stream processor**");
        streams?.Tell(report, "Kafka Streams, the same topic, window and aggregate");
        report.Line();
        Tell(report, all.Median, library, reader, decoding, engine);
        if (streams is not null) TellRatio(report, all.Median, streams.Median);
    }

    /// <summary>Ours and the peer, one after the other, several times; null when there is no peer.</summary>
    private static async Task<(CostSamples Ours, CostSamples? Streams)> InTurnsAsync(
        ProcessorRun run, KafkaLogOptions kafka, int broker, long events, FleetEvents fleet)
    {
        var (ours, streams) = (new CostSamples(), new CostSamples());
        await run.Log.EnsureTopicAsync(new TopicSpec(StreamsPeer.Output, Partitions));
        for (var turn = 0; turn < Turns; turn++)
        {
            ours.Add(await QueryAsync(run, broker, events, fleet, $"bench{turn}"));
            if (await StreamsPeer.MeasureAsync(kafka.BootstrapServers, broker, events) is { } peer) streams.Add(peer);
        }

        return (ours, streams.Count == 0 ? null : streams);
    }

    /// <summary>From the first records on until all are answered; then all its rows are looked at.</summary>
    private static async Task<CpuCost> QueryAsync(
        ProcessorRun run, int broker, long events, FleetEvents fleet, string name)
    {
        var output = name + "-averages";
        using var read = new CounterSum("millrace.query.records.in");
        using var rows = new CounterSum("millrace.query.rows.out");
        await run.ApplyAsync(name, Query.Replace("averages", $"[{output}]", StringComparison.Ordinal));
        await Eventually.TrueAsync(() => read.Sum > 0, "the query reads");
        var before = (long)read.Sum;
        var cost = await CpuCost.MeasureAsync(broker, events - before, async () =>
        {
            while (read.Sum < events) await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        });
        await Eventually.TrueAsync(() => rows.Sum >= fleet.Rows.Count, $"all {fleet.Rows.Count} rows come");
        await run.DeleteAsync(name);
        await CheckAsync(run, output, fleet);
        return cost;
    }

    private static async Task CheckAsync(ProcessorRun run, string output, FleetEvents fleet)
    {
        var left = new Dictionary<(string, long), double>(fleet.Rows);
        await run.ReadRowsAsync(output, record =>
        {
            using var row = JsonDocument.Parse(record.Value.ToArray());
            var key = (Encoding.UTF8.GetString(record.Key), OutputRecord.Of(record).AtMs);
            var average = row.RootElement.GetProperty("average").GetDouble();
            if (!left.Remove(key, out var wanted) || Math.Abs(wanted - average) > 1e-9)
                throw new InvalidOperationException($"{key}: {average}, not {wanted}");
        });
        if (left.Count > 0) throw new InvalidOperationException($"{left.Count} rows are missing.");
    }

    private static void Tell(
        Report report, CpuCost all, CpuCost library, CpuCost reader, CpuCost decoding, CpuCost engine)
    {
        var window = engine.ClientUs - decoding.ClientUs;
        report.Line("| where the time goes | CPU us | |");
        report.Line("|---|---:|---:|");
        Row("the Kafka library", library.ClientUs);
        Row("the reader above it", reader.ClientUs - library.ClientUs);
        Row("reading fields of JSON", decoding.ClientUs);
        Row("window and rules", window);
        Row("stages, producer, checkpoints", all.ClientUs - reader.ClientUs - engine.ClientUs);
        report.Line();
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"Goals: {GoalUs:f1} us in all ({all.ClientUs / GoalUs:f2}x), {WindowGoalUs} us for window and rules "
            + $"({window / WindowGoalUs:f2}x)."));

        void Row(string name, double us) => report.Line(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {us:f3} | {us / all.ClientUs:p0} |"));
    }

    private static void TellRatio(Report report, CpuCost ours, CpuCost streams) =>
        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"Against Kafka Streams, no average of which passes its bound: {ours.PerSecond / streams.PerSecond:f2}x "
            + $"the events, {ours.ClientUs / streams.ClientUs:f2}x the CPU an event."));

    private static async Task<CpuCost> RowAsync(Report report, string name, int turns, Func<Task<CpuCost>> run)
    {
        var costs = new CostSamples();
        for (var turn = 0; turn < turns; turn++) costs.Add(await run());
        costs.Tell(report, name);
        return costs.Median;
    }
}
