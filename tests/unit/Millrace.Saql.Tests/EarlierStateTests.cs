using System.Buffers;
using System.Text;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.Saql.Tests;

/// <summary>Which states a version of a query takes over from the one before.</summary>
public class EarlierStateTests
{
    private const string Before =
        """
        WITH rooms AS (SELECT room, AVG(x + 1) AS a, COUNT(*) AS n FROM telemetry WHERE x > 0 AND room <> 'none'
            GROUP BY room, TumblingWindow(second, 10) HAVING COUNT(*) > 1)
        SELECT room, n, 'low' AS message FROM rooms WHERE a BETWEEN 0 AND 100 AND n > 1 AND LEN(room) < 9
        """;

    private static readonly TopicPartition Zero = new("telemetry", 0);

    [TestCase("HAVING COUNT(*) > 1", "HAVING COUNT(*) > 3")]
    [TestCase("WHERE x > 0", "WHERE x >   2.5 /* more */")]
    [TestCase("'low' AS", "'high' AS")]
    [TestCase("< 9", "< 10")]
    [TestCase("<> 'none'", "<> 'cellar'")]
    public void What_something_is_compared_with_and_constant_columns_may_change(string was, string becomes)
    {
        Assert.That(Before, Does.Contain(was));
        var rows = Continued(Before.Replace(was, becomes), out var isTaken);
        Assert.That(isTaken, Is.True);
        Assert.That(rows.Single(), Does.Contain("\"room\":\"hall\",\"n\":4"));
    }

    [TestCase("second, 10", "second, 20")]
    [TestCase("x + 1", "x + 2")]
    [TestCase("AVG(x + 1)", "MAX(x + 1)")]
    [TestCase("WHERE x > 0", "WHERE y > 0")]
    [TestCase("x > 0", "x < 0")]
    [TestCase("AS message", "AS note")]
    [TestCase("<> 'none'", "= 'none'")]
    [TestCase("LEN(room) < 9", "LEN(room) + 1 < 9")]
    public void Anything_else_may_not(string was, string becomes)
    {
        Continued(Before.Replace(was, becomes), out var isTaken);
        Assert.That(isTaken, Is.False);
    }

    [Test]
    public void Neither_may_tolerances_nor_partitions_and_what_is_no_state_is_refused()
    {
        var state = StateOf(Before);
        var plan = QueryRun.Compile(Before);
        var patient = new QueryEngineOptions("q", 2) { LateTolerance = TimeSpan.FromSeconds(1) };
        Assert.That(Engine(plan, patient, Zero, new QueryRun(plan)).TryRestoreEarlier(state, 1), Is.False);
        Assert.That(Engine(plan, new QueryEngineOptions("q", 2), Zero with { Partition = 1 }, new QueryRun(plan))
            .TryRestoreEarlier(state, 1), Is.False);
        state[30] ^= 1;
        Assert.That(Assert.Throws<MillraceException>(() => Engine(plan, new QueryEngineOptions("q", 2), Zero,
            new QueryRun(plan)).TryRestoreEarlier(state, 1))!.Error.Code, Is.EqualTo("SQ-0201"));
    }

    /// <summary>Two events before, two behind, and one of the next window.</summary>
    private static List<string> Continued(string text, out bool isTaken)
    {
        var plan = QueryRun.Compile(text);
        var run = new QueryRun(plan);
        var engine = Engine(plan, new QueryEngineOptions("q", 2), Zero, run);
        isTaken = engine.TryRestoreEarlier(StateOf(Before), 1);
        if (!isTaken) return [];
        Assert.That(engine.Positions.Single().Offset, Is.EqualTo(2));
        engine.Process(Batch(2, 3_000, 4_000, 30_000));
        return [.. run.Json];
    }

    private static byte[] StateOf(string text)
    {
        var plan = QueryRun.Compile(text);
        var engine = Engine(plan, new QueryEngineOptions("q", 1), Zero, new QueryRun(plan));
        engine.Process(Batch(0, 1_000, 2_000));
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        return state.WrittenSpan.ToArray();
    }

    private static QueryEngine Engine(
        QueryPlan plan, QueryEngineOptions options, TopicPartition partition, QueryRun run) =>
        new(plan, options, [new QuerySource("telemetry", partition, 0)], run);

    private static RecordBatch Batch(long offset, params long[] times)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var time in times)
        {
            builder.Begin(1_767_225_600_000 + time, "d1"u8);
            builder.End(Encoding.UTF8.GetBytes("""{"x":3,"y":1,"room":"hall"}"""));
        }

        return new RecordBatch(Zero, offset, times.Length, builder.Bytes.ToArray());
    }
}
