using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>Aggregates of many rows of one key, which are kept while rows come and go.</summary>
public class RunningTotalTests
{
    private const int StepMs = 10;
    private const int Events = 1_200;

    private static readonly TopicPartition Zero = new("telemetry", 0);

    [TestCase(600, 3)]
    [TestCase(600, 4)]
    [TestCase(1_700, 5)]
    public void They_are_what_the_rows_together_are(int backMs, int seed)
    {
        var random = new Random(seed);
        var values = Enumerable.Range(0, Events).Select(_ => Value(random)).ToList();
        var columns = $"OVER (LIMIT DURATION(ms, {backMs}))";
        var query =
            $"""
            SELECT COUNT(*) {columns} AS n, COUNT(x) {columns} AS c, SUM(x) {columns} AS s, AVG(x) {columns} AS a,
                MIN(x) {columns} AS lo, MAX(x) {columns} AS hi INTO back FROM telemetry
            SELECT COUNT(*) AS n, COUNT(x) AS c, SUM(x) AS s, AVG(x) AS a, MIN(x) AS lo, MAX(x) AS hi INTO sliding
            FROM telemetry GROUP BY SlidingWindow(ms, {backMs})
            """;
        var run = Run(query, values, restoreAt: random.Next(Events));
        foreach (var output in new[] { "back", "sliding" })
        {
            var rows = run.Rows.Where(row => row.Output == output).Select(row => row.Json).ToList();
            for (var i = 0; i < Events; i++)
            {
                var row = JsonDocument.Parse(rows[i]).RootElement;
                var inside = values.Skip(Math.Max(0, i + 1 - (backMs / StepMs))).Take(Math.Min(i + 1, backMs / StepMs));
                // After the rows are as many as fit, one that comes in and one that goes out make one row.
                if (Difference(row, [.. inside]) is { } difference) Assert.Fail($"{output} {i}: {difference}, {row}");
            }
        }
    }

    [Test]
    public void Rows_of_several_devices_are_of_one_again_when_the_others_have_gone()
    {
        var run = Run("SELECT COUNT(*) AS n INTO sliding FROM telemetry GROUP BY SlidingWindow(ms, 600)",
            [.. Enumerable.Repeat("1", 200)], restoreAt: 50, device: i => i == 70 ? "other" : "one");
        var devices = run.Rows.Select(row => row.DeviceId).Take(200).ToList();
        Assert.That(devices[..70], Has.All.EqualTo("one"));
        Assert.That(devices[70..130], Has.All.Null);
        Assert.That(devices[131..], Has.All.EqualTo("one"));
    }

    private static string Value(Random random) => random.Next(8) switch
    {
        0 => "null",
        < 4 => random.Next(-9, 9).ToString(CultureInfo.InvariantCulture),
        _ => (random.Next(-99, 99) / 8.0).ToString("0.0##", CultureInfo.InvariantCulture),
    };

    private static string? Difference(JsonElement row, List<string> inside)
    {
        var numbers = inside.Where(text => text != "null")
            .Select(text => double.Parse(text, CultureInfo.InvariantCulture)).ToList();
        foreach (var (name, expected) in new (string, double?)[]
        {
            ("n", inside.Count), ("c", numbers.Count), ("s", numbers.Count == 0 ? null : numbers.Sum()),
            ("a", numbers.Count == 0 ? null : numbers.Sum() / numbers.Count),
            ("lo", numbers.Count == 0 ? null : numbers.Min()), ("hi", numbers.Count == 0 ? null : numbers.Max()),
        })
        {
            var value = row.GetProperty(name);
            double? found = value.ValueKind == JsonValueKind.Null ? null : value.GetDouble();
            if (found != expected) return $"{name} is {expected}";
        }

        return null;
    }

    /// <param name="restoreAt">Before this event another engine takes over.</param>
    private static QueryRun Run(
        string query, List<string> values, int restoreAt, Func<int, string>? device = null)
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        var engine = Engine();
        for (var i = 0; i < values.Count; i++)
        {
            if (i == restoreAt)
            {
                var state = new ArrayBufferWriter<byte>();
                engine.Save(state);
                engine = Engine();
                engine.Restore(state.WrittenSpan);
            }

            using var builder = new RecordBatchBuilder();
            builder.Begin(10_000 + (i * StepMs), Encoding.UTF8.GetBytes(device?.Invoke(i) ?? "d"));
            builder.End(Encoding.UTF8.GetBytes($"{{\"x\":{values[i]}}}"));
            engine.Process(new RecordBatch(Zero, i, 1, builder.Bytes.ToArray()));
        }

        engine.Complete();
        return run;

        QueryEngine Engine() => new(
            plan, new QueryEngineOptions("q", 1), [new QuerySource("telemetry", Zero, 0)], run);
    }
}
