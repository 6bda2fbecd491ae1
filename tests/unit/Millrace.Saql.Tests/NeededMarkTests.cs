using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>A source is marked only when something goes on by it: the rows and their times are those of marking always.
/// </summary>
public class NeededMarkTests
{
    private const string Over = "TIMESTAMP BY ts OVER room";

    private static readonly TopicPartition Zero = new("telemetry", 0);
    private static readonly TopicPartition One = new("telemetry", 1);
    private static readonly TopicPartition Alerts = new("alerts", 0);

    [TestCase("SELECT n FROM telemetry", 2)]
    [TestCase("SELECT COUNT(*) AS n FROM telemetry GROUP BY TumblingWindow(second, 10)", 1)]
    [TestCase("SELECT COUNT(*) AS n FROM telemetry GROUP BY TumblingWindow(second, 10)", 2)]
    [TestCase("SELECT room, SUM(n) AS n FROM telemetry TIMESTAMP BY ts GROUP BY room, HoppingWindow(second, 9, 3)", 2)]
    [TestCase("SELECT room, SUM(n) AS n FROM telemetry GROUP BY room, SlidingWindow(second, 4)", 2)]
    [TestCase("SELECT COUNT(*) AS n FROM telemetry GROUP BY SessionWindow(second, 3, 20)", 2)]
    [TestCase("SELECT a.n FROM telemetry a LEFT JOIN alerts b ON a.room = b.room AND DATEDIFF(second, a, b) " +
        "BETWEEN 0 AND 5", 3)]
    [TestCase($"SELECT room, COUNT(*) AS n FROM telemetry {Over} GROUP BY room, TumblingWindow(second, 5)", 1)]
    [TestCase($"SELECT room, COUNT(*) AS n FROM telemetry {Over} GROUP BY room, TumblingWindow(second, 5)", 2)]
    [TestCase($"SELECT a.n FROM telemetry a {Over} LEFT JOIN alerts b {Over} ON a.room = b.room AND " +
        "DATEDIFF(second, a, b) BETWEEN 0 AND 5", 3)]
    public void Rows_come_within_two_looks_as_when_every_source_is_marked_all_the_time(string query, int sources)
    {
        var random = new Random(sources + query.Length);
        TopicPartition[] read = [.. new[] { Zero, One, Alerts }.Take(sources)];
        var (always, needed) = (Begin(query, read), Begin(query, read));
        var offsets = new long[sources];
        var (now, marks) = (1_000_000L, (Always: 0, Needed: 0));
        for (var round = 0; round < 2_000; round++)
        {
            now += random.Next(1, 800);
            if (random.Next(10) == 0)
            {
                var source = random.Next(sources);
                var batch = Record(read[source], offsets[source]++, now, random);
                always.Engine.Process(batch);
                needed.Engine.Process(batch);

                // A mark of the row's very time would let it go where its source comes first.
                now++;
            }

            // A second look finds what the source that stood furthest holds: its last row.
            foreach (var source in read.Concat(read))
            {
                always.Engine.Mark(source, offsets[Array.IndexOf(read, source)], now);
                marks.Always++;
                if (!needed.Engine.AwaitsMark(source, now)) continue;
                needed.Engine.Mark(source, offsets[Array.IndexOf(read, source)], now);
                Assert.That(needed.Engine.AwaitsMark(source, now), Is.False);
                marks.Needed++;
            }

            Assert.That(needed.Run.Rows, Is.EqualTo(always.Run.Rows), $"round {round}");
        }

        Assert.That(needed.Run.Rows, Has.Count.GreaterThan(50));
        Assert.That(marks.Needed, Is.InRange(1, marks.Always / 2));
    }

    private static (QueryEngine Engine, QueryRun Run) Begin(string query, TopicPartition[] sources)
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        return (new QueryEngine(plan, new QueryEngineOptions("q", 1),
            [.. sources.Select(source => new QuerySource(source.Topic, source, 0))], run), run);
    }

    private static RecordBatch Record(TopicPartition source, long offset, long now, Random random)
    {
        using var builder = new RecordBatchBuilder();
        builder.Begin(now, "d"u8);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(now - random.Next(8_000)).UtcDateTime;
        builder.End(Encoding.UTF8.GetBytes($$"""{"n":{{offset}},"room":"{{random.Next(3)}}","ts":"{{at:O}}"}"""));
        return new RecordBatch(source, offset, 1, builder.Bytes.ToArray());
    }
}
