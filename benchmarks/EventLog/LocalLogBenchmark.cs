using System.Diagnostics;
using System.Globalization;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.EventLog.Local;
using Millrace.TestKit;

namespace Millrace.Benchmarks.EventLog;

/// <summary>
/// Appends to the local log, each waiting until it is durable, against plain write + fdatasync of the same bytes: by
/// one thread and append after append ("plain"), and in as few and as large writes as the log made ("ideal"). What is
/// compared runs turn by turn, so that a disk that slows down slows both.
/// </summary>
internal static class LocalLogBenchmark
{
    private const int BodyBytes = 120;
    private const int Rounds = 9;
    private static readonly TimeSpan RoundTime = TimeSpan.FromMilliseconds(700);

    private static readonly Case[] Cases =
    [
        new(Appenders: 1, Partitions: 1, RecordsPerAppend: 1),
        new(Appenders: 16, Partitions: 1, RecordsPerAppend: 1),
        new(Appenders: 100, Partitions: 4, RecordsPerAppend: 1),
        new(Appenders: 100, Partitions: 32, RecordsPerAppend: 1),
        new(Appenders: 1_600, Partitions: 4, RecordsPerAppend: 1),
        new(Appenders: 100, Partitions: 4, RecordsPerAppend: 16),
        new(Appenders: 4, Partitions: 4, RecordsPerAppend: 500),
    ];

    public static async Task RunAsync(Report report)
    {
        report.Line($"Records with a body of {BodyBytes} B. An appender waits until its append is durable, then makes "
            + $"the next. Median of {Rounds} turns of {RoundTime.TotalSeconds} s, ± half the distance of quartiles.");
        report.Line();
        report.Line("- plain: the same appends, one write and one fdatasync each, one after the other.");
        report.Line("- ideal: the same bytes, by one thread a partition, in writes of the mean size of the log's.");
        report.Line();
        report.Line("| appenders | partitions | records an append | log, records/s | appends a sync | x plain "
            + "| x ideal | CPU a record | allocated a record | p50 | p99 |");
        report.Line("|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var one in Cases) report.Line(await MeasureAsync(one));
    }

    private static async Task<string> MeasureAsync(Case one)
    {
        var folder = Directory.CreateTempSubdirectory("millrace-bench-").FullName;
        try
        {
            await using var bench = await Bench.OpenAsync(folder, one);
            Samples rate = new(), plain = new(), ideal = new(), cpu = new(), allocated = new();
            Samples p50 = new(), p99 = new(), grouped = new();
            await bench.RunLogAsync(TimeSpan.FromMilliseconds(300));
            for (var round = 0; round < Rounds; round++)
            {
                var turn = await bench.RunLogAsync(RoundTime);
                var plainRate = PlainFile.Rate(folder, bench.AppendBytes, 1, RoundTime / 2) * one.RecordsPerAppend;
                var idealRate = PlainFile.Rate(folder, turn.BytesPerSync, one.Partitions, RoundTime / 2)
                    * turn.RecordsPerSync;
                rate.Add(turn.RecordsPerSecond);
                plain.Add(turn.RecordsPerSecond / plainRate);
                ideal.Add(turn.RecordsPerSecond / idealRate);
                cpu.Add(turn.CpuMicroseconds);
                allocated.Add(turn.AllocatedBytes);
                grouped.Add(turn.RecordsPerSync / one.RecordsPerAppend);
                p50.Add(turn.P50Ms);
                p99.Add(turn.P99Ms);
            }

            return string.Create(CultureInfo.InvariantCulture,
                $"| {one.Appenders} | {one.Partitions} | {one.RecordsPerAppend} | {rate.Median:n0} ±{rate.Spread:p0} "
                + $"| {grouped.Median:f1} | {plain.Median:f2} ±{plain.Spread:p0} "
                + $"| {ideal.Median:f2} ±{ideal.Spread:p0} "
                + $"| {cpu.Median:f2} us | {allocated.Median:f0} B | {p50.Median:f2} ms | {p99.Median:f2} ms |");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private sealed record Case(int Appenders, int Partitions, int RecordsPerAppend);

    private readonly record struct Turn(
        double RecordsPerSecond, int BytesPerSync, double RecordsPerSync, double CpuMicroseconds, double AllocatedBytes,
        double P50Ms, double P99Ms);

    /// <summary>A log with its appenders.</summary>
    private sealed class Bench(LocalLog log, Case one) : IAsyncDisposable
    {
        private readonly List<RecordBatchBuilder> _builders = [];

        public int AppendBytes => _builders[0].ByteCount;

        public static async Task<Bench> OpenAsync(string folder, Case one)
        {
            var log = LocalLog.Open(Path.Combine(folder, "log"));
            await log.EnsureTopicAsync(new TopicSpec("telemetry", one.Partitions));
            var bench = new Bench(log, one);
            for (var i = 0; i < one.Appenders; i++) bench._builders.Add(Build(i, one.RecordsPerAppend));
            return bench;
        }

        public async Task<Turn> RunLogAsync(TimeSpan time)
        {
            using var own = new CounterSum("millrace.eventlog.syncs");
            using var shared = new CounterSum("millrace.eventlog.syncs.shared");
            using var bytes = new CounterSum("millrace.eventlog.bytes");
            var process = Process.GetCurrentProcess();
            var cpuBefore = process.TotalProcessorTime;
            var allocatedBefore = GC.GetTotalAllocatedBytes();
            var watch = Stopwatch.StartNew();
            var runs = await Task.WhenAll(_builders.Select((_, i) => Task.Run(() => AppendAsync(i, watch, time))));
            var seconds = watch.Elapsed.TotalSeconds;
            process.Refresh();
            var syncs = own.Sum + shared.Sum;
            var records = (double)runs.Sum(run => run.Count) * one.RecordsPerAppend;
            var latencies = new Samples();
            foreach (var run in runs) run.Latencies.ForEach(latencies.Add);
            return new Turn(
                records / seconds, (int)(bytes.Sum / syncs), records / syncs,
                (process.TotalProcessorTime - cpuBefore).TotalMicroseconds / records,
                (GC.GetTotalAllocatedBytes() - allocatedBefore) / records, latencies.Median, latencies.At(0.99));
        }

        public async ValueTask DisposeAsync()
        {
            await log.DisposeAsync();
            _builders.ForEach(builder => builder.Dispose());
        }

        private async Task<(int Count, List<double> Latencies)> AppendAsync(
            int appender, Stopwatch watch, TimeSpan time)
        {
            var partition = new TopicPartition("telemetry", appender % one.Partitions);
            var latencies = new List<double>(256);
            var count = 0;
            for (; watch.Elapsed < time; count++)
            {
                var startedAt = Stopwatch.GetTimestamp();
                await log.AppendAsync(partition, _builders[appender]);
                if (count % 16 == 0) latencies.Add(Stopwatch.GetElapsedTime(startedAt).TotalMilliseconds);
            }

            return (count, latencies);
        }

        private static RecordBatchBuilder Build(int appender, int records)
        {
            var random = new Random(appender);
            var body = new byte[BodyBytes];
            var builder = new RecordBatchBuilder();
            for (var i = 0; i < records; i++)
            {
                random.NextBytes(body);
                builder.Begin(1_000, System.Text.Encoding.UTF8.GetBytes($"device-{appender:d6}"));
                builder.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
                builder.End(body);
            }

            return builder;
        }
    }
}
