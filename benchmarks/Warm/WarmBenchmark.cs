using System.Diagnostics;
using Millrace.Cql;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Warm;

/// <summary>
/// The layouts of the warm store's telemetry table on one real Cassandra node, for a fleet and for one busy device.
/// </summary>
internal static class WarmBenchmark
{
    private const int FleetDevices = 10_000;
    private const int LogPartitions = 4;
    private const int FleetBatches = 20;
    private const int BusyRows = 900_000;
    private const int BusyBatch = 1_000;
    private const int SlowDevices = 200;
    private const int SlowHours = 720;
    private const int Reads = 200;
    private const int WriterWarmUp = 20;
    private const int WriterBatches = 30;
    private const long HourMs = 3_600_000;
    private const long Start = 1_790_000_400_000;

    private static readonly Layout[] Layouts =
        [Layout.ByDevice, Layout.ByShard(64), Layout.ByShard(256), Layout.ByShard(1_024)];

    public static async Task RunAsync(Report report)
    {
        await using var set = await EngineSet.StartAsync("cassandra", 1, "1g");
        if (set is null)
        {
            report.Line("There is no engines command to start Cassandra with.");
            return;
        }

        var pid = int.Parse(await File.ReadAllTextAsync(set.PathOf(1, "pid")));
        var port = int.Parse(set.Variables["CASSANDRA_PORT"]);
        await using var session = await CqlSession.ConnectAsync(new CqlOptions
        {
            Port = port,
            RequestTimeout = TimeSpan.FromMinutes(1),
            HeartbeatTimeout = TimeSpan.FromSeconds(30),
        });
        await session.ExecuteAsync("CREATE KEYSPACE IF NOT EXISTS millrace_bench WITH replication = "
            + "{'class': 'SimpleStrategy', 'replication_factor': 1}");
        var tables = Layouts.Select(layout => new LayoutTable(session, layout)).ToArray();
        foreach (var table in tables) await table.CreateAsync();

        report.Line("Telemetry rows with bodies of 120 B into one node on the same cores, buckets of 10 minutes, "
            + "UNLOGGED batches of one partition up to 32 KB, 128 requests in flight. CPU is that of the client's and "
            + "of the server's process, in microseconds a row.");
        await WarmUpAsync(tables);
        await FleetAsync(report, tables, pid);
        await BusyAsync(report, [tables[0], tables[2]], pid);
        await ReadsAsync(report, [tables[0], tables[2]]);
        await WriterAsync(report, port, pid);
    }

    /// <summary>The server compiles what it does often only after some time of it.</summary>
    private static async Task WarmUpAsync(LayoutTable[] tables)
    {
        foreach (var table in tables) await WriteFleetAsync(table, 0, table.Layout.Shards == 0 ? 8 : 20);
    }

    /// <summary>From the log to the store: decoding, writing, latest values and positions included.</summary>
    private static async Task WriterAsync(Report report, int port, int pid)
    {
        await using var run = new WarmWriterRun(port);
        await run.StartTopicsAsync();
        for (var i = 0; i < WriterWarmUp; i++) await run.AppendAsync(FleetDevices);
        await run.StartWriterAsync();
        await run.StoredAsync();
        report.Line();
        report.Line("The warm writer, from appending to the local log until all is stored, latest values and "
            + $"the place in the log too; {FleetDevices:n0} devices with one row each a batch:");
        report.Line();
        report.Line("| at once | rows/s | client us/row | server us/row |");
        report.Line("|---|---:|---:|---:|");
        foreach (var atOnce in new[] { 1, WriterBatches })
        {
            var cost = await CpuCost.MeasureAsync(pid, (long)FleetDevices * WriterBatches, async () =>
            {
                for (var i = 1; i <= WriterBatches; i++)
                {
                    await run.AppendAsync(FleetDevices);
                    if (i % atOnce == 0) await run.StoredAsync();
                }
            });
            report.Line($"| {atOnce} batch{(atOnce == 1 ? "" : "es, a backlog")} | {cost} |");
        }
    }

    /// <summary>Each device one row in a batch of its log partition; four partitions at a time.</summary>
    private static async Task FleetAsync(Report report, LayoutTable[] tables, int pid)
    {
        report.Line();
        report.Line($"A fleet of {FleetDevices:n0} devices, one row each a batch, {LogPartitions} log partitions:");
        report.Line();
        report.Line("| partition key | rows/s | client us/row | server us/row |");
        report.Line("|---|---:|---:|---:|");
        foreach (var table in tables)
        {
            var batches = FleetBatches / (table.Layout.Shards == 0 ? 2 : 1);
            var cost = await CpuCost.MeasureAsync(pid, (long)FleetDevices * batches,
                () => WriteFleetAsync(table, 100, batches));
            report.Line($"| {table.Layout.Name} | {cost} |");
        }
    }

    private static Task WriteFleetAsync(LayoutTable table, int from, int batches)
    {
        var fleet = Enumerable.Range(0, FleetDevices).Select(i => $"device-{i}")
            .Select(device => new Reading(device, table.Layout.ShardOf(device), 0, 0))
            .GroupBy(row => Layout.ByShard(LogPartitions).ShardOf(row.Device)).ToArray();
        return Task.WhenAll(fleet.Select(partition => Task.Run(async () =>
        {
            for (var batch = from; batch < from + batches; batch++)
            {
                var at = Start + (batch * 1_000L);
                await table.WriteAsync([.. partition.Select((row, i) =>
                    row with { EventAtMs = at + (i % 997), Offset = (batch * 10_000L) + i })]);
            }
        })));
    }

    /// <summary>One device at 1,000 rows for each second of event time, as fast as they go in.</summary>
    private static async Task BusyAsync(Report report, LayoutTable[] tables, int pid)
    {
        report.Line();
        report.Line($"One device with 1,000 rows a second of event time, in batches of {BusyBatch:n0}:");
        report.Line();
        report.Line("| partition key | rows/s | client us/row | server us/row |");
        report.Line("|---|---:|---:|---:|");
        foreach (var table in tables)
        {
            var shard = table.Layout.ShardOf("busy");
            var batches = Enumerable.Range(0, BusyRows / BusyBatch).ToArray();
            var cost = await CpuCost.MeasureAsync(pid, BusyRows, () => InFlight.AllAsync(batches, 4, batch =>
                table.WriteAsync([.. Enumerable.Range(batch * BusyBatch, BusyBatch).Select(i =>
                    new Reading("busy", shard, Start + i, i))])));
            report.Line($"| {table.Layout.Name} | {cost} |");
        }
    }

    private static async Task ReadsAsync(Report report, LayoutTable[] tables)
    {
        foreach (var table in tables)
        {
            // A row an hour for a month, each in a bucket of its own.
            var devices = Enumerable.Range(0, SlowDevices).Select(i => $"slow-{i}").ToArray();
            for (var hour = 0; hour < SlowHours; hour++)
            {
                await table.WriteAsync([.. devices.Select((device, i) =>
                    new Reading(device, table.Layout.ShardOf(device), Start + (hour * HourMs) + i, hour))]);
            }
        }

        report.Line();
        report.Line($"Reads of one device, newest first, {Reads} times; p50 and p99 in ms. The slow device sent a row "
            + "an hour among 200 such for a month; the busy one is that of above, for a quarter of an hour.");
        report.Line();
        report.Line("| read | " + string.Join(" | ", tables.Select(t => t.Layout.Name)) + " |");
        report.Line("|---|" + string.Concat(Enumerable.Repeat("---:|", tables.Length)));
        var end = Start + (SlowHours * HourMs);
        await ReadAsync(report, tables, "slow, an hour", i => $"slow-{i % SlowDevices}", end - HourMs, end, 1_000);
        await ReadAsync(report, tables, "slow, a day", i => $"slow-{i % SlowDevices}", end - (24 * HourMs), end, 1_000);
        await ReadAsync(report, tables, "slow, a month", i => $"slow-{i % SlowDevices}", Start, end, 1_000);
        await ReadAsync(report, tables, "busy, its 100 newest", _ => "busy", Start, Start + (HourMs / 4), 100);
        await ReadAsync(report, tables, "busy, 100,000 rows", _ => "busy", Start, Start + (HourMs / 4), 100_000);
    }

    private static async Task ReadAsync(
        Report report, LayoutTable[] tables, string name, Func<int, string> device, long fromMs, long toMs, int limit)
    {
        var cells = new List<string>();
        var turns = limit > 1_000 || toMs - fromMs > 100 * HourMs ? Reads / 10 : Reads;
        foreach (var table in tables)
        {
            var (samples, rows) = (new Samples(), 0);
            for (var i = 0; i < turns; i++)
            {
                var watch = Stopwatch.StartNew();
                rows = await table.ReadAsync(device(i), fromMs, toMs, limit);
                if (i >= turns / 10) samples.Add(watch.Elapsed.TotalMilliseconds);
            }

            cells.Add($"{samples.Median:f1}, {samples.At(0.99):f1} ({rows:n0} rows)");
        }

        report.Line($"| {name} | {string.Join(" | ", cells)} |");
    }
}
