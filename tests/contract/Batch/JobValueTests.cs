using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// What the built-in jobs say of an archive that is not clean, on DuckDB; <see cref="BuiltInJobTests"/> compares Spark
/// with it.
/// </summary>
[TestFixture]
public sealed class JobValueTests
{
    private static readonly string[] Measures = ["temperature", "pressure"];

    private TemporaryFolder _folder = null!;
    private ServiceProvider _services = null!;

    [OneTimeSetUp]
    public async Task Open()
    {
        _folder = new TemporaryFolder();
        _services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddFileObjectStore()
            .AddBatchOptions()
            .AddDuckDbBatch()
            .BuildServiceProvider();
        await DirtyArchive.WriteAsync(_services.GetRequiredService<IObjectStore>());
    }

    [OneTimeTearDown]
    public async Task Close()
    {
        await _services.DisposeAsync();
        _folder.Dispose();
    }

    [Test]
    public async Task Data_quality_counts_what_is_wrong() => Assert.That(await RowsAsync("data-quality"), Is.EqualTo(
    [
        "device_id|messages|gaps|longest_gap_seconds|duplicates|late_arrivals|latest_seconds|out_of_range|without_text",

        // Gaps end at 10:00 (since the day before), 10:10, 10:25 and 10:42; a3 came twice, the second time late.
        "pump-1|11|4|43200|1|2|1800|1|1",

        // A gap ends at 11:30:10; the message of 10:00 came twice, 30 s after the first time, which is not late.
        "pump-2|8|1|5290|1|2|170|1|0",
        "pump-3|10|0|60|0|0|0|0|0",
    ]));

    [Test]
    public async Task Downsampling_has_the_values_of_each_step_by_the_event_time()
    {
        var expected =
            from measure in Measures
            from reading in InOrder
            where reading.EventAt >= DirtyArchive.Day && reading.ValueOf(measure) is not null
            group reading.ValueOf(measure)!.Value
                by (reading.Device, measure, Start: StartOf(reading, TimeSpan.FromMinutes(5))) into step
            orderby step.Key.Device, step.Key.measure, step.Key.Start
            select Text(step.Key.Device, step.Key.measure, step.Key.Start, step.Count(), step.Min(), step.Max(),
                step.Average(), step.First(), step.Last());

        var rows = await RowsAsync("downsampling");

        Assert.That(rows[0], Is.EqualTo("device_id|measure|bucket_start|count|min|max|mean|first|last"));
        Assert.That(rows.Skip(1), Is.EqualTo(expected.ToList()));
        Assert.That(rows, Has.One.EqualTo("pump-2|temperature|2026-11-22 10:00:00|4|1|7|2.5|1|1"), "7 came late");
        Assert.That(rows, Has.One.EqualTo("pump-2|temperature|2026-11-22 11:30:00|2|2|9|5.5|9|2"), "so did 9");
    }

    [Test]
    public async Task Features_have_the_level_spread_and_trend_of_each_step_and_what_was_before()
    {
        var rows = await RowsAsync("features");

        string[] names = [.. Measures.SelectMany(name => new[] { "mean", "sd", "min", "max", "last", "slope" }
            .Select(what => $"{name}_{what}")), .. Measures.SelectMany(name => new[]
            {
                $"{name}_change", $"{name}_mean_24",
            })];
        Assert.That(rows[0], Is.EqualTo($"device_id|step_start|messages|{string.Join('|', names)}"));
        var expected = InOrder.GroupBy(reading => reading.Device).SelectMany(FeaturesOf);
        Assert.That(rows.Skip(1).Select(Rounded), Is.EqualTo(expected.Select(Rounded)));
        Assert.That(rows.Select(row => string.Join('|', row.Split('|')[..8])),
            Has.One.EqualTo("pump-2|2026-11-22 10:00:00|5|2.5|3|1|7|1"), "7 came late, and the last has none");
    }

    /// <summary>By the event time, and of equal ones by the offset.</summary>
    private static IEnumerable<Reading> InOrder =>
        DirtyArchive.Readings.OrderBy(reading => reading.Device).ThenBy(reading => reading.EventAt);

    private static IEnumerable<string> FeaturesOf(IEnumerable<Reading> ofDevice)
    {
        var steps = ofDevice.GroupBy(reading => StartOf(reading, TimeSpan.FromHours(1))).ToList();
        for (var i = 0; i < steps.Count; i++)
        {
            if (steps[i].Key < DirtyArchive.Day) continue;
            var upTo = steps.Take(i + 1).ToList();
            yield return Text([
                steps[i].First().Device, steps[i].Key, steps[i].Count(),
                .. Measures.SelectMany(measure => OfStep([.. steps[i]], measure)),
                .. Measures.SelectMany(measure => Compared([.. upTo.Select(step => MeanOf([.. step], measure))])),
            ]);
        }
    }

    private static object?[] OfStep(List<Reading> step, string measure)
    {
        var points = step.Where(reading => reading.ValueOf(measure) is not null)
            .Select(reading => (X: (reading.EventAt - DirtyArchive.Day).TotalHours, Y: reading.ValueOf(measure)!.Value))
            .ToList();
        if (points.Count == 0) return new object?[6];
        var (x, y) = (points.Average(point => point.X), points.Average(point => point.Y));
        var isOne = points.Count == 1;
        var squares = points.Sum(point => (point.Y - y) * (point.Y - y));
        var slope = points.Sum(point => (point.X - x) * (point.Y - y))
            / points.Sum(point => (point.X - x) * (point.X - x));
        return [y, isOne ? null : Math.Sqrt(squares / (points.Count - 1)), points.Min(point => point.Y),
            points.Max(point => point.Y), points[^1].Y, isOne ? null : slope];
    }

    private static object?[] Compared(List<double?> means) =>
        [means.Count > 1 ? means[^1] - means[^2] : null, means.TakeLast(24).Average()];

    private static double? MeanOf(List<Reading> step, string measure) =>
        step.Select(reading => reading.ValueOf(measure)).Average();

    private static DateTimeOffset StartOf(Reading reading, TimeSpan step) =>
        new(reading.EventAt.UtcTicks / step.Ticks * step.Ticks, TimeSpan.Zero);

    private static string Text(params IReadOnlyList<object?> values) => string.Join('|', values.Select(TextOf));

    private static string? TextOf(object? value) => value switch
    {
        null => "null",
        double number => number.ToString("G12", CultureInfo.InvariantCulture),
        DateTimeOffset time => time.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture),
        _ => Convert.ToString(value, CultureInfo.InvariantCulture),
    };

    /// <summary>As exact as a slope over times since 1970 is.</summary>
    private static string Rounded(string row) => string.Join('|', row.Split('|').Select(cell =>
        double.TryParse(cell, CultureInfo.InvariantCulture, out var number)
            ? number.ToString("G7", CultureInfo.InvariantCulture)
            : cell));

    private async Task<List<string>> RowsAsync(string job)
    {
        var engine = _services.GetRequiredService<IBatchEngine>();
        await using var result = await engine.QueryAsync(await BuiltInJobs.PrepareAsync(job, engine));
        var rows = await ArrowText.RowsAsync(result);
        return [string.Join('|', result.Schema.FieldsList.Select(field => field.Name)), .. rows];
    }
}
