using System.Diagnostics;
using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Kafka;

namespace Millrace.Benchmarks.Kafka;

/// <summary>
/// The event log on Kafka against plain Confluent.Kafka and the Java client's own tools, on the same brokers, one after
/// the other, several times. Needs KAFKA_BOOTSTRAP_SERVERS, and KAFKA_CLASSPATH for the Java tools.
/// </summary>
internal static class KafkaBenchmark
{
    public const int BodyBytes = 120, Partitions = 4;
    private const int Records = 400_000, Rounds = 3;

    public static async Task RunAsync(Report report)
    {
        if (Environment.GetEnvironmentVariable("KAFKA_BOOTSTRAP_SERVERS") is not { Length: > 0 } servers)
        {
            report.Line("Not run: KAFKA_BOOTSTRAP_SERVERS names no brokers.");
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
        await RowAsync(report, "produce: ours, 64 appenders of 16 records", () => OursAsync(log));
        await RowAsync(report, "produce: Confluent.Kafka, Produce with a callback",
            () => ConfluentClient.ProduceAsync(servers, topic, Records));
        await RowAsync(report, "produce: Java, ProducerPerformance",
            () => JavaTool.ProduceAsync(servers, topic, Records));
        await RowAsync(report, "consume: ours", () => ReadAsync(log));
        await RowAsync(report, "consume: Confluent.Kafka", () => ConfluentClient.ConsumeAsync(servers, topic, Records));
        await RowAsync(report, "consume: Java, ConsumerPerformance",
            () => JavaTool.ConsumeAsync(servers, topic, Records));
        IngestBenchmark.Run(report, options);
    }

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

    private static async Task<Turn?> OursAsync(KafkaLog log)
    {
        const int appenders = 64, each = 16;
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
