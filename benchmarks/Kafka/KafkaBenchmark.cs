using System.Diagnostics;
using System.Globalization;
using Millrace.Benchmarks.Alert;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Kafka;

/// <summary>
/// The event log on Kafka against plain Confluent.Kafka and the Java client's own tools, on the same brokers, one after
/// the other, several times; then the gateway and the whole platform over it. The brokers are those that
/// KAFKA_BOOTSTRAP_SERVERS names, or one that the engines command starts.
/// </summary>
internal static class KafkaBenchmark
{
    public const int BodyBytes = 120, Partitions = 4;
    private const string Variable = "KAFKA_BOOTSTRAP_SERVERS";
    private const int Records = 400_000, Rounds = 3;

    public static async Task RunAsync(Report report)
    {
        await using var set = Environment.GetEnvironmentVariable(Variable) is { Length: > 0 }
            ? null : await EngineSet.StartAsync("kafka", 1, "1g");
        if ((set?.Variables[Variable] ?? Environment.GetEnvironmentVariable(Variable)) is not { Length: > 0 } servers)
        {
            report.Line($"Not run: {Variable} names no brokers, and there is no engines command to start one with.");
            return;
        }

        var brokers = servers.Split(',').Length;
        var options = new KafkaLogOptions
        {
            BootstrapServers = servers,
            Prefix = $"bench{Environment.ProcessId}.",
            Topics = { ReplicationFactor = Math.Min(3, brokers), InSyncReplicasMin = Math.Min(2, brokers) },
        };
        await using var log = new KafkaLog(options);
        await log.EnsureTopicAsync(new TopicSpec("telemetry", Partitions));
        report.Line($"{Records} records with a body of {BodyBytes} B and an 8 B key, {Partitions} partitions, "
            + $"{brokers} brokers on the same machine, acks=all, idempotent, lz4. Ours and Confluent.Kafka have two "
            + $"headers, the Java tools none. Median of {Rounds} turns; CPU is that of the client's process.");
        report.Line();
        report.Line("| | records/s | CPU a record |");
        report.Line("|---|---:|---:|");
        var topic = options.Prefix + "telemetry";
        await RowAsync(report, "produce: ours, 64 appenders of 16 records", () => OursAsync(log, 64, 16));
        await RowAsync(report, "produce: Confluent.Kafka, 64 loops that await 16 records",
            () => ConfluentClient.ProduceAsync(servers, topic, Records, 64, 16));
        await RowAsync(report, "produce: ours, 50 appenders of 1,000 records", () => OursAsync(log, 50, 1_000));
        await RowAsync(report, "produce: Confluent.Kafka, one loop that awaits nothing",
            () => ConfluentClient.ProduceAsync(servers, topic, Records));
        await RowAsync(report, "produce: Java, ProducerPerformance",
            () => JavaTool.ProduceAsync(servers, topic, Records));
        await RowAsync(report, "consume: ours", () => ReadAsync(log));
        await RowAsync(report, "consume: Confluent.Kafka", () => ConfluentClient.ConsumeAsync(servers, topic, Records));
        await RowAsync(report, "consume: Java, ConsumerPerformance",
            () => JavaTool.ConsumeAsync(servers, topic, Records));
        IngestBenchmark.Run(report, options);
        await PlatformAsync(report, options);
    }

    /// <summary>Publish to alert and to warm row with Kafka as the log, and with Cassandra where it can be
    /// started.</summary>
    private static async Task PlatformAsync(Report report, KafkaLogOptions kafka)
    {
        await using var cassandra = await EngineSet.StartAsync("cassandra", 1, "1g");
        string[] stores = cassandra is null ? [] :
        [
            "Stores:Kind=Cassandra",
            $"Cassandra:ContactPoints={cassandra.Variables["CASSANDRA_CONTACT_POINTS"]}",
            $"Cassandra:Port={cassandra.Variables["CASSANDRA_PORT"]}",
            "Cassandra:ReplicationFactor=1", "Cassandra:RequestTimeout=60s",
            // Few devices send as fast as they can.
            "Cassandra:Telemetry:Bucket=2m", "Cassandra:Telemetry:DeviceBytesPerSecond=512KiB",
            "Cassandra:Telemetry:HubBytesPerSecond=32MiB",
        ];
        report.Line();
        report.Line($"All roles over Kafka with {Partitions} partitions, rows in "
            + $"{(cassandra is null ? "SQLite" : "Cassandra")}, servers on the same cores:");
        report.Line();
        await AlertBenchmark.RunAsync(report, goals: false, [.. stores, .. Settings(kafka, "all.", Partitions)]);
    }

    /// <summary>For a platform whose topics have a prefix of their own.</summary>
    public static string[] Settings(KafkaLogOptions kafka, string prefix, int partitions) =>
    [
        "EventLog:Kind=Kafka", $"EventLog:Kafka:BootstrapServers={kafka.BootstrapServers}",
        $"EventLog:Kafka:Prefix={kafka.Prefix}{prefix}", $"EventLog:Partitions={partitions}",
        $"EventLog:Kafka:Topics:ReplicationFactor={kafka.Topics.ReplicationFactor}",
        $"EventLog:Kafka:Topics:InSyncReplicasMin={kafka.Topics.InSyncReplicasMin}",
    ];

    /// <summary>Time and CPU of this process for so many records.</summary>
    public static async Task<Turn> MeasureAsync(int records, Func<Task> work)
    {
        using var process = Process.GetCurrentProcess();
        var (cpu, watch) = (process.TotalProcessorTime, Stopwatch.StartNew());
        await work();
        process.Refresh();
        return new Turn(records / watch.Elapsed.TotalSeconds,
            (process.TotalProcessorTime - cpu).TotalMicroseconds / records);
    }

    private static async Task RowAsync(Report report, string name, Func<Task<Turn?>> run)
    {
        Samples rate = new(), cpu = new();
        for (var round = 0; round < Rounds; round++)
        {
            if (await run() is not { } turn)
            {
                report.Line($"| {name} | not run | |");
                return;
            }

            rate.Add(turn.RecordsPerSecond);
            cpu.Add(turn.CpuMicroseconds);
        }

        report.Line(string.Create(CultureInfo.InvariantCulture,
            $"| {name} | {rate.Median / 1_000:f0}k | {cpu.Median:f2} us |"));
    }

    private static async Task<Turn?> OursAsync(KafkaLog log, int appenders, int each)
    {
        return await MeasureAsync(Records, () => Task.WhenAll(Enumerable.Range(0, appenders).Select(number =>
            Task.Run(async () =>
            {
                using var records = new RecordBatchBuilder();
                for (var i = 0; i < Records / appenders / each; i++)
                {
                    records.Clear();
                    for (var n = 0; n < each; n++) Encode(records, number);
                    await log.AppendAsync(new TopicPartition("telemetry", number % Partitions), records);
                }
            }))));
    }

    private static void Encode(RecordBatchBuilder records, int device)
    {
        Span<byte> key = stackalloc byte[8];
        device.TryFormat(key, out _, "d8", CultureInfo.InvariantCulture);
        records.Begin(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), key);
        records.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
        records.AddHeader(TelemetryHeaders.AuthMethod, "sas"u8);
        records.End(ConfluentClient.Body);
    }

    private static async Task<Turn?> ReadAsync(KafkaLog log) => await MeasureAsync(Records, () => Task.WhenAll(
        Enumerable.Range(0, Partitions).Select(number => Task.Run(async () =>
        {
            await using var reader = log.OpenReader(new TopicPartition("telemetry", number), 0);
            for (var read = 0; read < Records / Partitions;) read += (await reader.ReadAsync(256 << 10)).Count;
        }))));
}

internal sealed record Turn(double RecordsPerSecond, double CpuMicroseconds);
