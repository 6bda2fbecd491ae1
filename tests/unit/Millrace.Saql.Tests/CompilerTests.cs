using System.Globalization;
using System.Text;
using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

[Category("Samples")]
public class CompilerTests
{
    private static readonly string[] Pieces =
    [
        "SELECT", "FROM", "WHERE", "GROUP BY", "HAVING", "INTO", "WITH", "AS", "(", ")", ",", ".", "*", "a", "b.c",
            "[x y]", "'t'",
        "1", "2.5", "1e999", "NULL", "CASE", "WHEN", "THEN", "ELSE", "END", "CAST", "UNION", "AND", "OR", "NOT", "IN",
            "LIKE", "IS",
        "BETWEEN", "=", "<", ">=", "+", "-", "/", "%", "~", "COUNT(*)", "SUM(x)", "TumblingWindow(second, 5)",
            "System.Timestamp()",
        "TIMESTAMP BY", "JOIN", "OVER (", "--", "/*", "'", "[", "\"", "\u0000", "é", ";", "DATEADD(day,", "telemetry",
            "CREATE TABLE",
    ];

    [Test]
    public void Several_errors_are_told_at_once_each_with_its_place()
    {
        var text =
            "SELECT temperature,, LENGTH(x) AS n, a b c INTO alerts\nFROM telemetry WHERE CAST(a AS int) > 1\n  AND";
        Assert.That(SaqlCompiler.Compile(text).Diagnostics.Select(d => (d.Line, d.Column, d.Code)), Is.EqualTo(new[]
        {
            (1, 20, "SQ-0002"), (1, 22, "SQ-0004"), (1, 42, "SQ-0002"), (2, 32, "SQ-0016"), (3, 6, "SQ-0002"),
        }));
    }

    [TestCase("SELECT '\U0001F600' AS a b FROM t", 17, 1)]
    [TestCase("SELECT '\U0001F600\U0001F680' AS a b FROM t", 18, 1)]
    [TestCase("SELECT 'é' AS a b FROM t", 17, 1)]
    [TestCase("SELECT 1 AS a\n, '\U0001F600' b c FROM t", 9, 1)]
    [TestCase("SELECT 'e\u0301' AS a b FROM t", 18, 1)]
    [TestCase("SELECT a FROM t WHERE SUM('\U0001F600\U0001F680') > 1", 23, 9)]
    [TestCase("SELECT 1 AS a b, '\U0001F600' AS c FROM t", 15, 1)]
    public void Columns_and_carets_count_code_points(string text, int column, int carets)
    {
        var found = SaqlCompiler.Compile(text).Diagnostics.Single();
        Assert.That(found.Column, Is.EqualTo(column));
        Assert.That(found.Excerpt.Split('\n')[^1], Is.EqualTo(new string(' ', column - 1) + new string('^', carets)));
    }

    [Test]
    public void Any_pieces_in_any_order_give_diagnostics_or_a_plan_and_never_throw() =>
        Gen.Select(Gen.OneOfConst(Pieces).List[0, 40], Gen.Bool).Sample(
            (pieces, spaced) => Compile(string.Join(spaced ? " " : "", pieces)), iter: Samples.Of(8_000));

    [Test]
    public void Examples_with_a_few_characters_changed_give_diagnostics_or_a_plan_and_never_throw()
    {
        var queries = Example.All().Select(example => example.Query).ToArray();
        Gen.Select(Gen.OneOfConst(queries),
            Gen.Select(Gen.Int[0, 10_000], Gen.Int[0, 2], Gen.OneOfConst(Pieces)).List[1, 4])
            .Sample((query, changes) =>
            {
                var text = new StringBuilder(query);
                foreach (var (place, kind, piece) in changes)
                {
                    var at = place % (text.Length + 1);
                    if (kind != 0 && at < text.Length) text.Remove(at, 1);
                    if (kind != 1) text.Insert(at, piece);
                }

                Compile(text.ToString());
            }, iter: Samples.Of(8_000));
    }

    [TestCase("(")]
    [TestCase("-")]
    [TestCase("~")]
    [TestCase("NOT ")]
    [TestCase("CASE WHEN ")]
    [TestCase("ABS(")]
    [TestCase("a + ")]
    [TestCase("a AND ")]
    [TestCase("a.")]
    [TestCase("a = ")]
    public void Deep_nesting_is_refused_and_does_not_overflow_the_stack(string piece)
    {
        var text = "SELECT " + string.Concat(Enumerable.Repeat(piece, 20_000)) + "1 FROM x";
        var result = SaqlCompiler.Compile(text);
        if (piece is not ("NOT " or "a.")) Assert.That(result.Diagnostics, Is.Not.Empty);
    }

    [TestCase("SELECT x FROM s{0} UNION SELECT x FROM s{0}")]
    [TestCase("SELECT x FROM s{0} WHERE x > {0} UNION SELECT x FROM s{0} WHERE x <= {0}")]
    [TestCase("SELECT * FROM s{0} UNION SELECT * FROM s{0}")]
    [TestCase("SELECT x FROM s{0} GROUP BY x, Windows(Tumbling(second, 1), Tumbling(second, 2))")]
    [TestCase("SELECT DISTINCT x FROM (SELECT x FROM s{0} UNION SELECT x FROM s{0}) AS t UNION SELECT x FROM s{0}")]
    [TestCase("SELECT s{0}.x AS x FROM s{0} JOIN s{0} AS t ON s{0}.x = t.x AND DATEDIFF(second, s{0}, t) = 0 UNION " +
        "SELECT x FROM s{0} UNION SELECT x FROM s{0}")]
    [TestCase("SELECT x + 1 AS x FROM s{0} WHERE x > 5")]
    [TestCase("SELECT *, x AS x{0} FROM s{0}")]
    [TestCase("SELECT *, {0} AS x{0}a, {0} AS x{0}b, {0} AS x{0}c FROM s{0}")]
    public void Steps_that_multiply_are_refused_before_they_are_bound(string step)
    {
        var steps = Enumerable.Range(0, 4000)
            .Select(n => $", s{n + 1} AS ({string.Format(CultureInfo.InvariantCulture, step, n)})");
        var text = new StringBuilder("WITH s0 AS (SELECT x FROM telemetry)");
        foreach (var one in steps.TakeWhile(one => text.Length + one.Length < SaqlCompiler.TextLengthMax - 100))
            text.Append(one);
        Assert.That(SaqlCompiler.Compile($"{text} SELECT * FROM s1").Diagnostics.Select(d => d.Code).Distinct(),
            Is.EqualTo(new[] { "SQ-0019" }));
    }

    [Test]
    public void How_large_a_plan_may_become_is_said_by_who_compiles()
    {
        const string Doubling = "WITH a AS (SELECT x FROM t UNION SELECT x FROM t), b AS (SELECT x FROM a UNION " +
            "SELECT x FROM a) SELECT x FROM b";
        const string Deep = "WITH a AS (SELECT x + 1 AS x FROM t), b AS (SELECT x + 1 AS x FROM a) SELECT x + 1 FROM b";
        Assert.That(Told(Doubling, new PlanLimits(5_000, 2_000)), Is.Empty);
        Assert.That(Told(Doubling, new PlanLimits(3_000, 2_000)), Does.StartWith("SQ-0019"));
        Assert.That(Told(Deep, new PlanLimits(5_000, 5)), Is.Empty);
        Assert.That(Told(Deep, new PlanLimits(5_000, 4)), Does.StartWith("SQ-0019").And.Contain("than 4 levels"));

        static string Told(string query, PlanLimits limits) =>
            string.Concat(SaqlCompiler.Compile(query, new CompileOptions(Limits: limits)).Diagnostics);
    }

    [Test]
    public void A_step_that_many_read_is_bound_once()
    {
        var readers = Enumerable.Range(0, 400).Select(n => $" SELECT x INTO o{n} FROM s WHERE x > {n}");
        var plan = QueryRun.Compile("WITH s AS (SELECT x + 1 AS x FROM telemetry UNION SELECT x FROM doors), " +
            "t AS (SELECT x FROM s GROUP BY x, TumblingWindow(second, 1))" + string.Concat(readers) +
            string.Concat(readers).Replace("FROM s", "FROM t"));
        Assert.That(plan.Parts.Operators, Has.Count.EqualTo(1));
        Assert.That(plan.Parts.MemoCount, Is.EqualTo(1));
    }

    [TestCase("SELECT x FROM t WHERE {0}")]
    [TestCase("SELECT x FROM t GROUP BY x, System.Timestamp() HAVING {0}")]
    [TestCase("SELECT a.x FROM t a JOIN t b ON DATEDIFF(second, a, b) = 0 AND ({1})")]
    [TestCase("SELECT CASE WHEN {0} THEN x END AS x FROM t")]
    [TestCase("WITH s AS (SELECT x FROM t WHERE {0}) SELECT x FROM s")]
    [TestCase("SELECT x FROM t MATCH_RECOGNIZE (LIMIT DURATION(second, 1) MEASURES Last(A.x) AS x PATTERN (A) " +
        "DEFINE A AS {0})")]
    [TestCase("SELECT LAST(x) OVER (LIMIT DURATION(second, 1) WHEN {0}) AS x FROM t")]
    public void A_condition_has_as_many_parts_as_one_likes(string query)
    {
        var numbers = Enumerable.Range(1, 20_000).ToList();
        var any = string.Join(" OR ", numbers.Select(n => $"x={n}"));
        var all = string.Join(" AND ", numbers.Take(15_000).Select(n => $"b.x<>{n}"));
        var run = QueryRun.Over(string.Format(CultureInfo.InvariantCulture, query, any, all), ["{\"x\":20000}"]);
        Assert.That(run.Json, Is.EqualTo(new[] { "{\"x\":20000}" }));
    }

    [Test]
    public void Ways_that_part_and_meet_again_are_traced_once()
    {
        var steps = Enumerable.Range(0, 40).Select(n => $", s{n + 1} AS (SELECT x FROM s{n} " +
            "GROUP BY x, Windows(TumblingWindow(second, 1), TumblingWindow(second, 2)))");
        var plan = QueryRun.Compile(
            $"WITH s0 AS (SELECT x FROM telemetry){string.Concat(steps)} SELECT x FROM s40");
        Assert.That(plan.Scope, Is.EqualTo(QueryScope.ByKey));
    }

    /// <summary>One without a place must not have the others, of other inputs, tried at all of theirs.</summary>
    [Test]
    public void What_shares_no_input_is_placed_for_itself()
    {
        var steps = Enumerable.Range(0, 60).Select(i =>
            $"s{i} AS (SELECT a, b, COUNT(*) AS n FROM i{i} GROUP BY a, b, TumblingWindow(second, 1))");
        var queries = Enumerable.Range(0, 60).Select(i => $"SELECT a, n INTO o{i} FROM s{i}");
        var plan = QueryRun.Compile($"WITH {string.Join(", ", steps)} {string.Join(" ", queries)} "
            + "SELECT n, COUNT(*) AS ns INTO o FROM s0 GROUP BY n, TumblingWindow(minute, 1)");
        Assert.That(plan.Explain(), Does.Not.Contain("repartition"));
    }

    [Test]
    public void Many_columns_are_told_apart_by_name()
    {
        var names = Enumerable.Range(0, 20_000).Select(n => $"a{n}").ToList();
        var plan = QueryRun.Compile($"SELECT {string.Join(',', names)} FROM telemetry");
        Assert.That(plan.Parts.Feeds[0].Outputs[0].Columns.Select(column => column.Name), Is.EqualTo(names));
        var twice = SaqlCompiler.Compile($"SELECT {string.Join(',', names)}, A0 FROM telemetry").Diagnostics;
        Assert.That(twice.Single().Code, Is.EqualTo("SQ-0013"));
    }

    [Test]
    public void Too_long_a_text_is_refused() => Assert.That(
        SaqlCompiler.Compile(new string(' ', SaqlCompiler.TextLengthMax + 1)).Diagnostics.Single().Code,
            Is.EqualTo("SQ-0019"));

    [TestCase("SELECT * FROM telemetry", QueryScope.PerPartition)]
    [TestCase("SELECT COUNT(*) FROM telemetry GROUP BY TumblingWindow(second, 1)", QueryScope.AllPartitions)]
    [TestCase("SELECT COUNT(*) FROM telemetry GROUP BY room, TumblingWindow(second, 1)", QueryScope.ByKey)]
    [TestCase("SELECT COUNT(*) FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, TumblingWindow(second, 1)",
        QueryScope.PerPartition)]
    [TestCase("SELECT COUNT(*) FROM telemetry GROUP BY partitionid, TumblingWindow(second, 1)",
        QueryScope.PerPartition)]
    [TestCase("SELECT COUNT(*) FROM telemetry PARTITION BY PartitionId GROUP BY TumblingWindow(second, 1)",
        QueryScope.PerPartition)]
    [TestCase("WITH s AS (SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n FROM telemetry GROUP BY " +
        "IoTHub.ConnectionDeviceId, TumblingWindow(second, 1)) SELECT d, MAX(n) FROM s GROUP BY d, " +
        "TumblingWindow(second, 5)", QueryScope.PerPartition)]
    [TestCase("WITH s AS (SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n FROM telemetry GROUP BY " +
        "IoTHub.ConnectionDeviceId, TumblingWindow(second, 1)) SELECT MAX(n) FROM s GROUP BY TumblingWindow(second, " +
        "5)", QueryScope.AllPartitions)]
    public void Scope_is_each_partition_for_itself_when_nothing_is_shared(string query, QueryScope scope) =>
        Assert.That(QueryRun.Compile(query).Scope, Is.EqualTo(scope));

    [Test]
    public void Inputs_and_outputs_are_named_in_order()
    {
        var plan =
            QueryRun.Compile(
            "WITH s AS (SELECT * FROM b) SELECT * INTO one FROM s SELECT * INTO two FROM a SELECT * FROM B SELECT * " +
            "INTO ONE FROM a");
        Assert.That(plan.Inputs, Is.EqualTo(new[] { "b", "a" }));
        Assert.That(plan.Outputs, Is.EqualTo(new[] { "one", "two", "output" }));
    }

    [Test]
    public void Alerts_are_one_output_however_they_are_written() => Assert.That(
        QueryRun.Compile("SELECT a INTO Alerts FROM t SELECT b INTO ALERTS FROM t").Outputs,
        Is.EqualTo(new[] { "alerts" }));

    [Test]
    public void Known_inputs_are_the_only_ones_and_the_nearest_is_named()
    {
        var options = new CompileOptions(["telemetry", "lifecycle"]);
        Assert.That(SaqlCompiler.Compile("SELECT * FROM TELEMETRY", options).Plan!.Inputs,
            Is.EqualTo(new[] { "telemetry" }));
        var wrong = SaqlCompiler.Compile("SELECT *\nFROM telemetri", options).Diagnostics.Single();
        Assert.That((wrong.Code, wrong.Line, wrong.Column), Is.EqualTo(("SQ-0007", 2, 6)));
        Assert.That(wrong.Message, Does.Contain("Did you mean telemetry?"));
        var both = SaqlCompiler.Compile("SELECT LENN(a) FROM telemetri", options).Diagnostics;
        Assert.That(both.Select(d => d.Code), Is.EqualTo(new[] { "SQ-0004", "SQ-0007" }));
    }

    private static void Compile(string text)
    {
        Compile(text, references: []);
        Compile(text, references: ["rooms", "rules", "a"]);
    }

    private static void Compile(string text, string[] references)
    {
        var result = SaqlCompiler.Compile(text, new CompileOptions(References: references));
        if (result.Plan is null != result.Diagnostics.Any(found => found.Severity == SaqlSeverity.Error))
            throw new InvalidOperationException(text);
        foreach (var found in result.Diagnostics)
        {
            if (found.Line < 1 || found.Column < 1 || found.Message.Length == 0 || !found.Excerpt.Contains('^'))
                throw new InvalidOperationException(found.ToString());
        }

        result.Plan?.Explain();
    }
}
