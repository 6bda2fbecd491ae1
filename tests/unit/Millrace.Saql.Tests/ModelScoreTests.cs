using System.Buffers;
using Millrace.Contracts;
using Millrace.Saql.Models;

namespace Millrace.Saql.Tests;

/// <summary>ML_SCORE: what the binder refuses, what it gives, and which version it gives it by.</summary>
public class ModelScoreTests
{
    private const string Query = "SELECT ML_SCORE('sum', a, b) AS s FROM telemetry";

    private static readonly QueryModel[] Known = [new("sum", ["first", "second"]), new("wear", ["t"])];

    [TestCase("ML_SCORE('sun', a, b)", "SQ-0022", "There is no promoted model 'sun'. Did you mean sum?")]
    [TestCase("ML_SCORE('sum', a)", "SQ-0005", "ML_SCORE('sum', first, second) takes 2 features; found 1.")]
    [TestCase("ML_SCORE('wear', a, b)", "SQ-0005", "ML_SCORE('wear', t) takes 1 feature; found 2.")]
    [TestCase("ML_SCORE(name, a)", "SQ-0005", "ML_SCORE needs the model's name first, as a constant text.")]
    [TestCase("ML_SCORE('sum')", "SQ-0005", "ML_SCORE takes 2 to 257 arguments; found 1.")]
    [TestCase("ML_SCORE('sum', a, 'x')", "SQ-0005", "Feature 2 (second) of ML_SCORE('sum') is a number, not 'x'.")]
    [TestCase("ML_SCORE('sum', a, JSON_PARSE(b))", "SQ-0005",
        "Feature 2 (second) of ML_SCORE('sum') is a number, not a record.")]
    public void What_does_not_fit_the_model_is_told_when_the_query_is_compiled(string call, string code, string message)
    {
        var result = SaqlCompiler.Compile($"SELECT {call} AS s FROM telemetry", new CompileOptions(KnownModels: Known));

        Assert.That(result.Diagnostics.Select(one => one.Code), Is.EqualTo(new[] { code }));
        Assert.That(result.Diagnostics[0].Message, Does.StartWith(message));
    }

    [Test]
    public void A_row_gets_its_score_and_a_null_feature_none()
    {
        var run = Run("""{"a":1,"b":2}""", """{"a":1.5,"b":true}""", """{"a":"2","b":1}""", """{"a":1}""");

        Assert.That(run.Json,
            Is.EqualTo(new[] { """{"s":3.0}""", """{"s":2.5}""", """{"s":3.0}""", """{"s":null}""" }));
        Assert.That(run.Failures, Is.Empty);
    }

    [TestCase("""{"a":"hot","b":2}""", "SQ-0107")]
    [TestCase("""{"a":-1,"b":2}""", "SQ-0110")]
    [TestCase("""{"a":1e30,"b":1e30}""", "SQ-0110")]
    public void A_row_that_cannot_be_scored_fails_alone(string line, string code)
    {
        var run = Run(line, """{"a":1,"b":2}""");

        Assert.That(run.Failures.Select(one => one.Code), Is.EqualTo(new[] { code }));
        Assert.That(run.Json, Is.EqualTo(new[] { """{"s":3.0}""" }));
    }

    [Test]
    public void Without_a_version_no_row_has_a_score()
    {
        var plan = Plan(Query);
        var run = QueryRun.Over(plan, new Dictionary<string, IEnumerable<string>>
        {
            ["telemetry"] = ["""{"a":1,"b":2}"""],
        });
        Assert.That(run.Failures.Select(one => one.Code), Is.EqualTo(new[] { "SQ-0110" }));
    }

    [Test]
    public void A_version_counts_from_where_it_was_given_and_is_part_of_the_state()
    {
        var plan = Plan(
            "SELECT ML_SCORE('sum', AVG(a), COUNT(*)) AS s FROM telemetry GROUP BY TumblingWindow(second, 1)");
        var batches = Enumerable.Range(0, 4).Select(i => Line(i, $$"""{"a":{{i}}}""")).ToList();
        var (undisturbed, disturbed) = (new QueryRun(plan), new QueryRun(plan));
        var state = new ArrayBufferWriter<byte>();

        var engine = Engine(plan, undisturbed);
        engine.SetModel("sum", new Sum(1));
        engine.Process(batches[0]);
        engine.Process(batches[1]);
        engine.SetModel("sum", new Sum(2));
        engine.Save(state);
        engine.Process(batches[2]);
        engine.Process(batches[3]);
        engine.Complete();

        var again = Engine(plan, disturbed);
        again.Restore(state.WrittenSpan);
        Assert.That(again.ModelVersions, Is.EqualTo(new Dictionary<string, int> { ["sum"] = 2 }));
        again.SetModel("sum", new Sum(again.ModelVersions["sum"]));
        again.Process(batches[2]);
        again.Process(batches[3]);
        again.Complete();

        Assert.That(undisturbed.Json, Is.EqualTo(new[]
        {
            """{"s":1.0}""", """{"s":4.0}""", """{"s":6.0}""", """{"s":8.0}""",
        }), "the first second by version 1, the others by version 2");
        Assert.That(disturbed.Rows, Is.EqualTo(undisturbed.Rows.Skip(1)));
    }

    [Test]
    public void A_plan_says_which_models_it_scores_with()
    {
        var plan = Plan("SELECT ML_SCORE('wear', a) AS w, ML_SCORE('sum', a, b) AS s, ML_SCORE('wear', b) AS v FROM t");

        Assert.That(plan.Models, Is.EqualTo(new[] { "wear", "sum" }));
        Assert.That(plan.Explain(), Does.Contain("models: wear, sum; state: their versions"));
        Assert.That(SaqlCompiler.Compile("SELECT ML_SCORE('any', 1, 2, 3) AS s FROM t").Plan, Is.Not.Null,
            "who does not know the models checks nothing");
    }

    private static QueryPlan Plan(string query) =>
        SaqlCompiler.Compile(query, new CompileOptions(KnownModels: Known)).Plan!;

    private static QueryRun Run(params string[] lines)
    {
        var plan = Plan(Query);
        var run = new QueryRun(plan);
        var engine = Engine(plan, run);
        engine.SetModel("sum", new Sum(1));
        foreach (var batch in QueryRun.Batches(QueryRun.Topic, lines)) engine.Process(batch);
        engine.Complete();
        return run;
    }

    private static QueryEngine Engine(QueryPlan plan, QueryRun run) => new(plan, new QueryEngineOptions("q", 1),
        [new QuerySource(QueryRun.Topic, new TopicPartition(QueryRun.Topic, 0), 0) { IsFile = true }], run);

    private static RecordBatch Line(int second, string body)
    {
        var line = $$"""{"EventEnqueuedUtcTime":"2026-01-01T00:00:{{second:D2}}.500Z",{{body[1..]}}""";
        return QueryRun.Batches(QueryRun.Topic, [line])[0] with { FirstOffset = second };
    }

    /// <summary>Adds, and multiplies by its version; fails for what is negative.</summary>
    private sealed class Sum(int version) : IModelScorer
    {
        public int Version => version;

        public double Score(ReadOnlySpan<float> features)
        {
            if (features[0] < 0) throw new ArgumentException("It is negative.");
            if (features[0] > 1e20f) return double.NaN;
            return (features[0] + features[1]) * version;
        }
    }
}
