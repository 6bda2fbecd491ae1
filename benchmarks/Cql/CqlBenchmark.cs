using System.Diagnostics;
using Millrace.Cql;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Benchmarks.Cql;

/// <summary>
/// Writes to one real Cassandra node, against Apache's Java driver, turn by turn: rows a second, which the server on
/// the same cores limits, and processor time of the client for each row, which is what the client is made of.
/// </summary>
internal static class CqlBenchmark
{
    /// <summary>So many turns count, the last of those that are run.</summary>
    public const int Rounds = 3;

    private const int Devices = 1_000;
    private const int Reads = 60_000;

    // So many turns of reads pass before those that count; of writes one, which has more rows.
    private const int WarmTurns = 6;
    private const int PageRows = 1_000;
    private const int KeysInFlight = 256;
    private const int RangesInFlight = 8;

    // Batch size, requests in flight, rows a turn. With 60,000 single rows a turn a Java client takes two to four
    // times the CPU a row: it compiles its code meanwhile.
    private static readonly (int Batch, int InFlight, int Rows)[] Cases =
    [
        (1, 64, 240_000), (1, 256, 240_000), (1, 1_024, 240_000), (8, 32, 400_000), (8, 128, 400_000),
        (32, 32, 640_000), (32, 128, 640_000), (128, 8, 640_000), (128, 32, 640_000),
    ];

    public static async Task RunAsync(Report report)
    {
        await using var set = await EngineSet.StartAsync("cassandra", 1, "1g");
        if (set is null)
        {
            report.Line("There is no engines command to start Cassandra with.");
            return;
        }

        var port = int.Parse(set.Variables["CASSANDRA_PORT"]);
        var options = new CqlOptions { ContactPoints = ["127.0.0.1"], Port = port };
        await using var session = await CqlSession.ConnectAsync(options);
        var table = new ReadingsTable(session);
        await table.CreateAsync();
        report.Line("Rows of a text, a timestamp, a blob of 115 B and a double into one node on the same cores; "
            + $"{Devices:n0} devices; batches are UNLOGGED and of one partition. Median of {Rounds} turns (of Java's "
            + $"writes two) after one to warm up, for reads {WarmTurns}; each driver's in one process; who begins "
            + "changes from row to row. The CPU is that of the client's process.");
        report.Line();
        report.Line("| batch | in flight | rows/s | us/row | Java rows/s | Java us/row | rows a client core, x Java |");
        report.Line("|---:|---:|---:|---:|---:|---:|---:|");
        // A server that was just started compiles its code meanwhile, which whoever comes first would pay for.
        var (warmBatch, warmInFlight, warmRows) = Cases[0];
        await MeasureAsync(warmRows, () => table.WriteAsync(warmRows, Devices, warmBatch, warmInFlight));
        await JavaPeer.MeasureAsync(port, warmRows, Devices, warmBatch, warmInFlight);
        for (var number = 0; number < Cases.Length; number++)
        {
            var (batch, inFlight, rows) = Cases[number];
            var peer = number % 2 == 0 ? null : await JavaPeer.MeasureAsync(port, rows, Devices, batch, inFlight);
            var ours = await MeasureAsync(rows, () => table.WriteAsync(rows, Devices, batch, inFlight));
            if (number % 2 == 0) peer = await JavaPeer.MeasureAsync(port, rows, Devices, batch, inFlight);
            report.Line($"| {batch} | {inFlight} | {Beside(ours, peer)} |");
        }

        report.Line();
        report.Line("| read | in flight | rows/s | us/row | Java rows/s | Java us/row | rows a client core, x Java |");
        report.Line("|---|---:|---:|---:|---:|---:|---:|");
        await table.WriteAsync(Reads, Devices, batch: 1, inFlight: KeysInFlight);
        // The server has compiled nothing yet of how it reads, which whoever comes first would pay for.
        await JavaPeer.ReadAsync("key", port, Reads, Reads, Devices, table.Start, KeysInFlight, WarmTurns + Rounds);
        var byKey = await MeasureAsync(Reads, () => table.ReadByKeyAsync(Reads, Devices, KeysInFlight), WarmTurns);
        var java = await JavaPeer.ReadAsync(
            "key", port, Reads, Reads, Devices, table.Start, KeysInFlight, WarmTurns + Rounds);
        report.Line($"| one row by its key | {KeysInFlight} | {Beside(byKey, java)} |");

        var requests = Devices / 30;
        var read = await table.ReadByRangeAsync(requests, PageRows, RangesInFlight);
        java = await JavaPeer.ReadAsync(
            "range", port, requests, read, Devices, table.Start, RangesInFlight, WarmTurns + Rounds);
        var byRange = await MeasureAsync(
            read, () => table.ReadByRangeAsync(requests, PageRows, RangesInFlight), WarmTurns);
        report.Line($"| a range of one device, pages of {PageRows:n0} | {RangesInFlight} | {Beside(byRange, java)} |");
    }

    private static string Beside(Measured ours, Measured? java) =>
        $"{ours.RowsPerSecond:n0} | {ours.CpuUs:f2} | " + (java is { } j
            ? $"{j.RowsPerSecond:n0} | {j.CpuUs:f2} | {j.CpuUs / ours.CpuUs:f1}"
            : "- | - | -");

    private static async Task<Measured> MeasureAsync(long rows, Func<Task> turn, int warmTurns = 1)
    {
        var (rate, cpu) = (new Samples(), new Samples());
        using var process = Process.GetCurrentProcess();
        for (var round = 0; round < warmTurns + Rounds; round++)
        {
            process.Refresh();
            var cpuBefore = process.TotalProcessorTime;
            var watch = Stopwatch.StartNew();
            await turn();
            var seconds = watch.Elapsed.TotalSeconds;
            process.Refresh();
            if (round < warmTurns) continue;
            rate.Add(rows / seconds);
            cpu.Add((process.TotalProcessorTime - cpuBefore).TotalMicroseconds / rows);
        }

        return new Measured(rate.Median, cpu.Median);
    }
}

/// <summary>Rows a second, and microseconds of the client's CPU a row.</summary>
internal readonly record struct Measured(double RowsPerSecond, double CpuUs);
