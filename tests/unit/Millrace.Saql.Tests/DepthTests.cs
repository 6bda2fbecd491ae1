using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Json;

namespace Millrace.Saql.Tests;

/// <summary>Records and arrays that a query makes of others, up to the levels that a reader takes.</summary>
public class DepthTests
{
    private const string Of = " FROM i TIMESTAMP BY t GROUP BY TumblingWindow(second, 10)";

    [TestCase("CollectTop(1) OVER (ORDER BY k)", Of, "GetArrayLength(c)", 3, "1")]
    [TestCase("CollectTop(1) OVER (ORDER BY k)", Of, "GetArrayElement(c, 0)", 3,
        """{"rank":1,"value":{"t":"2026-01-01T00:00:01Z","k":1,"v":V}}""")]
    [TestCase("Collect()", Of, "GetArrayLength(c)", 2, "1")]
    [TestCase("Collect(v)", Of, "GetArrayElement(c, 0)", 1, "V")]
    [TestCase("LAST(*) OVER (LIMIT DURATION(second, 9))", " FROM r", "c.v", 1, "V")]
    public void A_value_that_nests_too_deep_fails_its_row(
        string made, string from, string read, int levelsMore, string expected)
    {
        var query = $"WITH r AS (SELECT k, v FROM i), s AS (SELECT {made} AS c{from}) SELECT {read} AS x INTO o FROM s";
        var most = JsonScanner.DepthMax - levelsMore;
        var whole = Run(query, most);
        Assert.That(whole.Failures, Is.Empty);
        Assert.That(whole.Json, Is.EqualTo(new[] { $"{{\"x\":{expected.Replace("V", Nested(most))}}}" }));

        var deeper = Run(query, most + 1);
        Assert.That(deeper.Rows, Is.Empty);
        Assert.That(deeper.Failures.Select(failure => failure.Code), Is.EqualTo(new[] { "SQ-0106" }));
        Assert.That(deeper.Failures.Single().Reason, Does.Contain("64 levels"));
    }

    [Test]
    public void What_is_read_within_a_record_too_is_found_however_deep_it_is()
    {
        var run = Run("SELECT GetRecordPropertyValue(GetRecordPropertyValue(v, 'a'), 'a') AS x, " +
            "v.a.a.a.a AS y INTO o FROM i", 67);
        Assert.That(run.Json, Is.EqualTo(new[] { $"{{\"x\":{Nested(65)},\"y\":{Nested(63)}}}" }));
    }

    private static QueryRun Run(string query, int levels)
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        var zero = new TopicPartition("i", 0);
        var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("i", zero, 0)], run);
        using var builder = new RecordBatchBuilder();
        builder.Begin(1_767_225_600_000, "d1"u8);
        builder.End(Encoding.UTF8.GetBytes($"{{\"t\":\"2026-01-01T00:00:01Z\",\"k\":1,\"v\":{Nested(levels)}}}"));
        engine.Process(new RecordBatch(zero, 0, 1, builder.Bytes.ToArray()));
        engine.Complete();
        return run;
    }

    private static string Nested(int levels) =>
        string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);
}
