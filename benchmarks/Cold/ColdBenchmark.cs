using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;
using Millrace.TestKit;

namespace Millrace.Benchmarks.Cold;

/// <summary>
/// What statements and jobs cost: how much of the archive a device's day needs with files and row groups left out and
/// without, what a small statement pays for Spark Connect, and the built-in jobs on both engines.
/// </summary>
internal static class ColdBenchmark
{
    private const int Rounds = 3;
    private const int SmallRounds = 20;
    private const int JobHours = 6;
    private const string Device = "device-04170";

    private static readonly DateTimeOffset Day = FleetArchive.Start.AddDays(1);

    private static readonly Dictionary<string, object?> Parameters = new()
    {
        ["device"] = Device,
        ["from"] = Day,
        ["to"] = Day.AddDays(1),
    };

    /// <summary>The same rows; what stands within a function leaves nothing out.</summary>
    private static readonly (string Name, string Where)[] Prunings =
    [
        ("nothing", "upper(device_id) = upper($device) AND unix_micros(enqueued_at) >= unix_micros($from) "
            + "AND unix_micros(enqueued_at) < unix_micros($to)"),
        ("files by the day", "upper(device_id) = upper($device) AND enqueued_at >= $from AND enqueued_at < $to"),
        ("and row groups by the device", "device_id = $device AND enqueued_at >= $from AND enqueued_at < $to"),
    ];

    private static readonly string[] Columns = ["avg(temperature) AS mean, count(*) AS n", "enqueued_at, body"];

    private static readonly (string Name, string Sql)[] Small =
    [
        ("no table", "SELECT 1 AS one"),
        ("one file", "SELECT count(*) AS n FROM telemetry WHERE device_id = $device AND enqueued_at = $from"),
        ("a day's files", "SELECT count(*) AS n FROM telemetry WHERE enqueued_at >= $from AND enqueued_at < $to"),
    ];

    public static async Task RunAsync(Report report)
    {
        await using var bench = await ColdBench.OpenAsync();
        report.Line($"{FleetArchive.Rows:n0} rows: {FleetArchive.Devices:n0} devices for {FleetArchive.Days} days, "
            + $"{FleetArchive.Messages} messages an hour each, a JSON body of about 110 B; a file an hour, of "
            + $"{FleetArchive.RowGroupsPerHour} row groups that share the devices. Medians of {Rounds} turns; of small "
            + $"statements {SmallRounds}.");
        report.Line();
        await TellPruningAsync(report, bench);
        await TellSmallAsync(report, bench);
        await TellJobsAsync(report, bench);
    }

    private static async Task TellPruningAsync(Report report, ColdBench bench)
    {
        report.Line("## A device's day");
        report.Line("Over an object store without local files, with nothing of it at hand (cold) and the same "
            + "statement again (warm); over local files; and on Spark over the same files.");
        report.Line();
        report.Line("| columns | left out | MB read | requests | cold ms | warm ms | local ms | Spark ms |");
        report.Line("|---|---|---:|---:|---:|---:|---:|---:|");
        foreach (var columns in Columns)
        {
            foreach (var (name, where) in Prunings)
            {
                var query = new BatchQuery($"SELECT {columns} FROM telemetry WHERE {where}", Parameters);
                Samples cold = new(), warm = new(), bytes = new(), requests = new();
                for (var round = 0; round < Rounds; round++)
                {
                    var (engine, store) = bench.OpenRemote();
                    cold.Add((await ColdBench.TimeAsync(engine, query)).Ms);
                    bytes.Add(store.BytesRead / 1e6);
                    requests.Add(store.Reads);
                    warm.Add((await ColdBench.TimeAsync(engine, query)).Ms);
                }

                report.Line(Row(columns.Contains("body") ? "all bodies" : "one number", name, $"{bytes.Median:f1}",
                    $"{requests.Median:f0}", Ms(cold), Ms(warm), Ms(await MeasureAsync(bench.DuckDb, query, Rounds)),
                    Ms(await MeasureAsync(bench.Spark, query, Rounds))));
            }
        }

        report.Line();
    }

    private static async Task TellSmallAsync(Report report, ColdBench bench)
    {
        report.Line("## Small statements");
        report.Line("What a statement costs before it has much to do. Spark's share is Spark Connect, its planner and "
            + "its scheduler; the first line has nothing else.");
        report.Line();
        report.Line("| statement reads | DuckDB ms | Spark ms | Spark p90 ms |");
        report.Line("|---|---:|---:|---:|");
        foreach (var (name, sql) in Small)
        {
            var query = new BatchQuery(sql, sql.Contains('$') ? Parameters : null);
            var duckDb = await MeasureAsync(bench.DuckDb, query, SmallRounds);
            var spark = await MeasureAsync(bench.Spark, query, SmallRounds);
            report.Line(Row(name, Ms(duckDb), Ms(spark), spark is null ? "-" : $"{spark.At(0.9):f0}"));
        }

        report.Line();
    }

    private static async Task TellJobsAsync(Report report, ColdBench bench)
    {
        report.Line($"## Built-in jobs, over {JobHours} hours");
        report.Line();
        report.Line("| job | rows | DuckDB ms | Spark ms | Spark / DuckDB |");
        report.Line("|---|---:|---:|---:|---:|");
        var times = new Dictionary<string, JsonElement>
        {
            ["from"] = JsonSerializer.SerializeToElement(Day),
            ["to"] = JsonSerializer.SerializeToElement(Day.AddHours(JobHours)),
        };
        foreach (var job in bench.DuckDb.GetRequiredService<JobCatalog>().Jobs.Where(job => job.Model is null))
        {
            var query = await bench.DuckDb.GetRequiredService<ColdJobs>()
                .PrepareAsync(job.Name, times, CancellationToken.None);
            var rows = (await ColdBench.TimeAsync(ColdBench.EngineOf(bench.DuckDb), query)).Rows;
            var duckDb = await MeasureAsync(bench.DuckDb, query, Rounds);
            var spark = await MeasureAsync(bench.Spark, query, Rounds);
            report.Line(Row(job.Name, $"{rows:n0}", Ms(duckDb), Ms(spark),
                spark is null ? "-" : $"{spark.Median / duckDb!.Median:f1}"));
        }
    }

    /// <summary>After one turn that is not counted; null where there is no such engine.</summary>
    private static async Task<Samples?> MeasureAsync(ServiceProvider? services, BatchQuery query, int rounds)
    {
        if (services is null) return null;
        var engine = ColdBench.EngineOf(services);
        await ColdBench.TimeAsync(engine, query);
        var samples = new Samples();
        for (var round = 0; round < rounds; round++) samples.Add((await ColdBench.TimeAsync(engine, query)).Ms);
        return samples;
    }

    private static string Ms(Samples? samples) => samples is null
        ? "-"
        : string.Create(CultureInfo.InvariantCulture, $"{samples.Median:f1} ±{samples.Spread:p0}");

    private static string Row(params string[] cells) => $"| {string.Join(" | ", cells)} |";
}
