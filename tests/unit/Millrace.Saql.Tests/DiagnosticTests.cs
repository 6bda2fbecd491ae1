using System.Globalization;
using CsCheck;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>What a rule author is told of what is wrong.</summary>
[Category("Samples")]
public class DiagnosticTests
{
    private static readonly string[] Constants = ["0", "1", "-7", "2.5", "'5'", "'abc'", "NULL"];

    private static readonly string[] Forms =
    [
        "({0} + {1})", "({0} - {1})", "({0} * {1})", "({0} / {1})", "({0} % {1})", "CAST({0} AS bigint)",
        "TRY_CAST({0} AS float)", "ABS({0})", "DATEADD(year, {0} * 5000, '2026-01-01')", "SQRT({0})",
        "LEFT('abc', {0})",
    ];

    [Test]
    public void Messages_are_as_in_the_golden_file() => Golden.Check("diagnostics.golden", Told);

    [Test]
    public void Warnings_are_as_in_the_golden_file() => Golden.Check("warnings.golden", Told);

    [Test]
    public void A_warning_keeps_no_query_from_being_a_plan()
    {
        var warned = SaqlCompiler.Compile("SELECT a FROM t WHERE 1 = 0");
        Assert.That(warned.Plan, Is.Not.Null);
        Assert.That(warned.Diagnostics.Single().ToString(),
            Does.StartWith("SQ-0404 (warning) line 1, column 23: "));
        var wrong = SaqlCompiler.Compile("SELECT LENN(a) FROM t WHERE 1 = 0");
        Assert.That(wrong.Plan, Is.Null);
        Assert.That(wrong.Diagnostics.Select(found => found.Severity), Is.EqualTo(new[] { SaqlSeverity.Error }));
    }

    [Test]
    public void Of_all_examples_only_that_of_comparisons_with_null_is_warned_of() => Assert.That(
        Example.All().SelectMany(example => SaqlCompiler.Compile(example.Query,
            example.Extensions.CompileOptions([.. example.References.Keys])).Diagnostics
            .Select(found => (example.Name, found.Code))),
        Is.EqualTo(new[] { ("comparisons with null are never true, nor is their NOT", "SQ-0403") }));

    [Test]
    public void A_constant_is_warned_of_exactly_when_the_row_that_computes_it_fails()
    {
        var constants = Gen.Recursive<string>((depth, inner) => depth > 3
            ? Gen.OneOfConst(Constants)
            : Gen.OneOf(Gen.OneOfConst(Constants), Gen.Select(Gen.OneOfConst(Forms), inner, inner,
                (form, a, b) => string.Format(CultureInfo.InvariantCulture, form, a, b))));
        var (failing, fine) = (0, 0);
        constants.Sample(constant =>
        {
            var query = $"SELECT {constant} AS x FROM telemetry";
            var result = SaqlCompiler.Compile(query);
            if (result.Plan is null) return true;
            var fails = QueryRun.Over(query, ["{}"]).Failures.Count > 0;
            Interlocked.Increment(ref fails ? ref failing : ref fine);
            return fails == result.Diagnostics.Any(found => found.Code == "SQ-0401");
        }, iter: Samples.Of(3_000));
        Assert.That((failing > 0, fine > 0), Is.EqualTo((true, true)));
    }

    /// <summary>What can be made of entries that have neither times nor an order.</summary>
    [TestCase("SELECT x FROM rules", "1:15 SQ-0007")]
    [TestCase("WITH r AS (SELECT x FROM rules) SELECT x FROM r", "1:47 SQ-0007")]
    [TestCase("SELECT x FROM (SELECT x FROM rules) AS r", "1:30 SQ-0007")]
    [TestCase("WITH r AS (SELECT x FROM telemetry UNION SELECT x FROM rules) SELECT x FROM r", "1:56 SQ-0007")]
    [TestCase("WITH r AS (SELECT x FROM rules UNION SELECT y AS x FROM rules) SELECT t.x FROM telemetry t JOIN r " +
        "ON t.x = r.x", "1:12 SQ-0003")]
    [TestCase("SELECT t.x FROM telemetry t JOIN (SELECT x, COUNT(*) AS n FROM rules GROUP BY x, " +
        "TumblingWindow(second, 1)) r ON t.x = r.x", "1:35 SQ-0003")]
    [TestCase("SELECT t.x FROM telemetry t JOIN (SELECT DISTINCT x FROM rules) r ON t.x = r.x", "1:35 SQ-0003")]
    [TestCase("SELECT t.x FROM telemetry t JOIN (SELECT a.x FROM rules a JOIN rules b ON a.x = b.x) r ON t.x = r.x",
        "1:35 SQ-0003")]
    [TestCase("WITH r AS (SELECT x, System.Timestamp() AS at FROM rules) SELECT t.x FROM telemetry t JOIN r " +
        "ON t.x = r.x", "1:22 SQ-0017")]
    [TestCase("WITH r AS (SELECT LAG(x) OVER (LIMIT DURATION(second, 1)) AS x FROM rules) SELECT t.x " +
        "FROM telemetry t JOIN r ON t.x = r.x", "1:19 SQ-0003")]
    [TestCase("SELECT LAG(r.y) OVER (LIMIT DURATION(second, 1)) AS y FROM telemetry t JOIN rules r ON t.x = r.x",
        "1:8 SQ-0003")]
    [TestCase("WITH r AS (SELECT x FROM rules) SELECT t.x, r.y FROM telemetry t JOIN r ON t.x = r.x", "1:45 SQ-0006")]
    public void Reference_data_is_joined_with_and_no_stream(string query, string told)
    {
        var found = SaqlCompiler.Compile(query, new CompileOptions(References: ["rules"])).Diagnostics;
        Assert.That(found.Select(d => $"{d.Line}:{d.Column} {d.Code}"), Is.EqualTo(new[] { told }));
    }

    private static string Told(string query) => string.Concat(SaqlCompiler.Compile(query).Diagnostics
        .Select(d => $"{d.Code}{(d.Severity == SaqlSeverity.Warning ? " (warning)" : "")} at {d.Line}:{d.Column}: " +
            $"{d.Message}\n{d.Excerpt}\n"));
}
