using System.Globalization;
using Millrace.Archiver;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Archive;

/// <summary>
/// From the log to Parquet, against DuckDB's COPY of the same rows. DuckDB has the rows as columns in memory already,
/// and copies them twice: sorted as the archive is, and as they come. Both use one thread; what is compared is rows for
/// each second of processor time, turn by turn.
/// </summary>
internal static class ArchiveBenchmark
{
    private const int Rows = 1_000_000;
    private const int Rounds = 5;
    private const double Goal = 1_000_000;

    private static readonly Case[] Cases =
    [
        new("no promoted columns, Zstd", Devices: 1_000, Promoted: false, ArchiveCompression.Zstd),
        new("no promoted columns, Snappy", Devices: 1_000, Promoted: false, ArchiveCompression.Snappy),
        new("100,000 devices, Zstd", Devices: 100_000, Promoted: false, ArchiveCompression.Zstd),
        new("2 promoted columns, Zstd", Devices: 1_000, Promoted: true, ArchiveCompression.Zstd),
    ];

    public static async Task RunAsync(Report report)
    {
        report.Line($"{Rows:n0} records of 4 partitions: a JSON body of about 110 B, content type, one property; an "
            + $"hour of telemetry. Median of {Rounds} turns, +- half the distance of the quartiles.");
        report.Line();
        report.Line($"The goal is {Goal:n0} rows/s/core.");
        report.Line();
        report.Line("- log to Parquet: local log -> copy, check, sort by device and time -> Parquet -> object store.");
        report.Line("- x COPY sorted: against DuckDB's COPY (SELECT ... ORDER BY device_id, enqueued_at) from memory.");
        report.Line("- x COPY as is: against DuckDB's COPY of the table from memory, without the sort.");
        report.Line();
        report.Line(
            "| case | rows/s/core | x goal | wall rows/s | x COPY sorted | x COPY as is | bytes a row | DuckDB's |");
        report.Line("|---|---:|---:|---:|---:|---:|---:|---:|");
        foreach (var one in Cases) report.Line(await MeasureAsync(one));
        report.Line();
        report.Line("Where the time goes, in ns a row, by the archiver's own steps:");
        report.Line();
        await TellStepsAsync(report);
    }

    private static async Task TellStepsAsync(Report report)
    {
        var lines = new SortedDictionary<int, string>();
        foreach (var one in Cases)
        {
            await using var bench = await ArchiveBench.OpenAsync(one, Rows);
            await bench.ArchiveAsync();
            foreach (var (i, (step, nanoseconds)) in (await bench.StepsAsync()).Index())
            {
                lines.TryAdd(i, $"| {step} |");
                lines[i] += string.Create(CultureInfo.InvariantCulture, $" {nanoseconds:f0} |");
            }
        }

        report.Line($"| step | {string.Join(" | ", Cases.Select(one => one.Name))} |");
        report.Line($"|---|{string.Concat(Cases.Select(_ => "---:|"))}");
        foreach (var line in lines.Values) report.Line(line);
    }

    private static async Task<string> MeasureAsync(Case one)
    {
        await using var bench = await ArchiveBench.OpenAsync(one, Rows);
        Samples perCore = new(), wall = new(), sorted = new(), asIs = new(), bytes = new(), peerBytes = new();
        await bench.ArchiveAsync();
        bench.LoadPeer();
        for (var round = 0; round < Rounds; round++)
        {
            var ours = await bench.ArchiveAsync();
            var copySorted = bench.Copy(sorted: true);
            var copyAsIs = bench.Copy(sorted: false);
            perCore.Add(Rows / ours.CpuSeconds);
            wall.Add(Rows / ours.WallSeconds);
            sorted.Add(copySorted.CpuSeconds / ours.CpuSeconds);
            asIs.Add(copyAsIs.CpuSeconds / ours.CpuSeconds);
            bytes.Add((double)ours.Bytes / Rows);
            peerBytes.Add((double)copySorted.Bytes / Rows);
        }

        return string.Create(CultureInfo.InvariantCulture,
            $"| {one.Name} | {perCore.Median:n0} ±{perCore.Spread:p0} | {perCore.Median / Goal:f2} | {wall.Median:n0} "
            + $"| {sorted.Median:f2} ±{sorted.Spread:p0} | {asIs.Median:f2} ±{asIs.Spread:p0} "
            + $"| {bytes.Median:f1} | {peerBytes.Median:f1} |");
    }
}

internal sealed record Case(string Name, int Devices, bool Promoted, ArchiveCompression Compression);

internal readonly record struct Turn(double WallSeconds, double CpuSeconds, long Bytes);
