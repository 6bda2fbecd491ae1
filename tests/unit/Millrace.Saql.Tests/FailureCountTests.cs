using System.Buffers;
using Millrace.Contracts;
using Millrace.Saql.Extensions;

namespace Millrace.Saql.Tests;

/// <summary>
/// An event that fails counts once, wherever and however often it does: also where what fails depends on other events,
/// on a model, on a user function or on how long something takes, so that no place knows of the others.
/// </summary>
public class FailureCountTests
{
    private const string Window = " GROUP BY room, TumblingWindow(second, 3); ";
    private const string OverSite = " GROUP BY site, TumblingWindow(second, 2)";
    private const string Back = "LAG(site) OVER (PARTITION BY room LIMIT DURATION(second, 9))";

    private const string Pattern =
        "SELECT * INTO m FROM telemetry MATCH_RECOGNIZE (LIMIT DURATION(second, 5) PARTITION BY room MEASURES " +
        "Last(B.v) AS b PATTERN (A+ B) DEFINE A AS 10 / (A.v % 2) < 60, B AS B.v > 3) AS m";

    private static readonly UserFunction[] Functions =
        [new("Odd", [UserType.Integer], TakesNull: false, arguments => Odd((long)arguments[0]!))];

    [TestCase($"SELECT v / {Back} AS d INTO o FROM telemetry; SELECT site, SUM(10 / (v % 2)) AS s INTO p FROM " +
        $"telemetry{OverSite}", Description = "Other events, and the event alone.")]
    [TestCase($"SELECT v / {Back} AS d INTO o FROM telemetry; SELECT site, SUM(UDF.Odd(v)) AS s INTO p FROM " +
        $"telemetry{OverSite}; SELECT v, MAX(ML_SCORE('wear', v)) AS s INTO q FROM telemetry GROUP BY v, " +
        "TumblingWindow(second, 2)")]
    [TestCase($"SELECT room, SUM(UDF.Odd(v)) AS s INTO o FROM telemetry{Window}SELECT site, SUM(UDF.Odd(v)) AS s " +
        $"INTO p FROM telemetry{OverSite}")]
    [TestCase("WITH s AS (SELECT room, site, UDF.Odd(v) AS f FROM telemetry) SELECT room, MAX(f) AS m INTO o FROM s" +
        $"{Window}SELECT site, SUM(f) AS m INTO p FROM s WHERE f > 1{OverSite}")]
    [TestCase($"SELECT room, SUM(ML_SCORE('wear', v)) AS s INTO o FROM telemetry{Window}SELECT site, " +
        $"MAX(ML_SCORE('wear', v)) AS s INTO p FROM telemetry{OverSite}; SELECT 10 / (v % 4) AS d INTO q FROM " +
        "telemetry")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry WHERE REGEXMATCH(room, 'r') / (v % 2) > 0" +
        $"{Window}SELECT site, SUM(REGEXMATCH(room, 'r') / (v % 2)) AS s INTO p FROM telemetry{OverSite}")]
    [TestCase($"{Pattern}; SELECT site, SUM(10 / (v % 2)) AS s INTO p FROM telemetry{OverSite}")]
    [TestCase($"SELECT site, SUM(UDF.Odd(v)) AS s INTO p FROM telemetry{OverSite}; {Pattern}")]
    public void An_event_that_fails_on_several_routes_counts_once(string query)
    {
        var again = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var expected = Scenario(seed, query).InOnePlace();
            var found = Scenario(seed, query).InTwoStages();
            Assert.That(found.Failures.Keys, Is.EqualTo(expected.Failures.Keys), $"seed {seed}");
            Assert.That(found.Counts.Values, Is.All.EqualTo(1), $"seed {seed}");
            Assert.That(expected.Counts.Values, Is.All.EqualTo(1), $"seed {seed}");
            Assert.That(expected.Failures.Values, Is.All.Count.EqualTo(1), $"seed {seed}");
            again += found.Failures.Values.Count(told => told.Count > 1);
        }

        Assert.That(again, Is.GreaterThan(20), "told where it may be missing elsewhere");
    }

    /// <summary>It is read again after a crash, and counts on both sides then, but never nowhere.</summary>
    [TestCase($"SELECT v / {Back} AS d INTO o FROM telemetry; SELECT site, SUM(UDF.Odd(v)) AS s INTO p FROM " +
        $"telemetry{OverSite}")]
    [TestCase($"{Pattern}; SELECT site, SUM(ML_SCORE('wear', v)) AS s INTO p FROM telemetry{OverSite}")]
    public void Whoever_crashes_no_event_that_fails_counts_nowhere(string query)
    {
        for (var seed = 0; seed < 60; seed++)
        {
            var expected = Scenario(seed, query, isCalm: false).InOnePlace();
            var found = Scenario(seed, query, isCalm: false).InTwoStages();
            Assert.That(found.Failures.Keys, Is.EqualTo(expected.Failures.Keys), $"seed {seed}");
            Assert.That(found.Counts.Values, Is.All.Positive, $"seed {seed}");
        }
    }

    /// <summary>What took too long by chance, say. Nobody else counts it.</summary>
    [Test]
    public void What_fails_by_chance_counts_where_it_does()
    {
        const string Query = "WITH s AS (SELECT room, site, UDF.Chance(v) AS f FROM telemetry) " +
            $"SELECT room, MAX(f) AS m INTO o FROM s{Window}SELECT site, SUM(f) AS m INTO p FROM s{OverSite}";
        var (calls, failed) = (0, 0);
        var chance = new UserFunction("Chance", [UserType.Integer], TakesNull: false, _ =>
        {
            if (++calls % 5 != 0) return 1L;
            failed++;
            throw new TimeoutException("It took too long.");
        });
        for (var seed = 0; seed < 30; seed++)
        {
            (calls, failed) = (0, 0);
            var found = new RepartitionScenario(seed, Query, isCalm: true, functions: [chance]).InTwoStages();
            var slow = found.Failures.Where(told => told.Value.Exists(text => text.Contains("took too long")));
            Assert.That(slow.Sum(told => found.Counts[told.Key]), Is.EqualTo(failed), $"seed {seed}");
        }
    }

    /// <summary>Neither place can see the events that the other looks back at.</summary>
    [Test]
    public void What_looks_back_at_other_events_on_each_route_counts_on_each()
    {
        const string Query = $"SELECT v / {Back} AS d INTO o FROM telemetry; SELECT v / (LAG(v) OVER (PARTITION BY " +
            "site LIMIT DURATION(second, 9)) % 2) AS d INTO p FROM telemetry";
        var counts = Enumerable.Range(0, 20)
            .SelectMany(seed => Scenario(seed, Query).InTwoStages().Counts.Values).ToHashSet();
        Assert.That(counts, Is.EquivalentTo((int[])[1, 2]));
    }

    /// <summary>It stays as long as a match may begin before it, and is looked at again for each that comes.</summary>
    [TestCase("A AS 10 / (A.v % 3) < 60, B AS B.v > 5")]
    [TestCase("A AS A.v < 7, B AS 10 / (B.v % 3) > 7")]
    public void A_pattern_tells_an_event_once_also_when_it_goes_on_from_a_saved_state(string define)
    {
        var plan = QueryRun.Compile("SELECT * FROM telemetry MATCH_RECOGNIZE (LIMIT DURATION(second, 9) MEASURES " +
            $"Last(B.v) AS b PATTERN (A+ B) DEFINE {define}) AS m");
        var random = new Random(5);
        var told = 0;
        for (var round = 0; round < 40; round++)
        {
            var run = new QueryRun(plan);
            byte[]? state = null;
            for (var at = 0; at < 30; at++) state = Next(plan, run, state, at, random.Next(9));
            told += run.Failures.Count;
            Assert.That(run.Failures.Select(failure => failure.Offset), Is.Unique, $"round {round}");
        }

        Assert.That(told, Is.GreaterThan(80));
    }

    /// <summary>What a join makes of the event fails in between, and is another row.</summary>
    [Test]
    public void An_event_counts_once_though_rows_that_it_makes_fail_meanwhile()
    {
        const string Rows = "SELECT 10 / v AS d INTO o FROM telemetry; SELECT a.v AS x, 10 / b.v AS y INTO p FROM " +
            "telemetry a JOIN telemetry b ON a.v = b.v AND DATEDIFF(second, a, b) BETWEEN 0 AND 1";
        const string More = $"{Rows}; SELECT v, SUM(20 / v) AS s INTO q FROM telemetry GROUP BY v, " +
            "TumblingWindow(second, 3)";
        var made = 0;
        for (var seed = 0; seed < 20; seed++)
        {
            var expected = Scenario(seed, Rows).InOnePlace();
            Assert.That(Scenario(seed, More).InOnePlace().Counts, Is.EqualTo(expected.Counts), $"seed {seed}");
            made += expected.Counts.Values.Count(count => count > 1);
        }

        Assert.That(made, Is.GreaterThan(20));
    }

    private static RepartitionScenario Scenario(int seed, string query, bool isCalm = true) =>
        new(seed, query, isCalm, functions: Functions);

    /// <summary>Not for even numbers.</summary>
    private static long Odd(long value) => value % 2 == 0 ? throw new ArgumentException("It is even.") : value;

    /// <summary>One record more, by an engine that goes on from the state of the one before.</summary>
    private static byte[] Next(QueryPlan plan, QueryRun run, byte[]? before, int second, int v)
    {
        var source = new TopicPartition(QueryRun.Topic, 0);
        var engine = new QueryEngine(
            plan, new QueryEngineOptions("q", 1), [new QuerySource(QueryRun.Topic, source, 0) { IsFile = true }], run);
        if (before is not null) engine.Restore(before);
        var line = $$"""{"EventEnqueuedUtcTime":"2026-01-01T00:00:{{second:D2}}.500Z","v":{{v}}}""";
        engine.Process(QueryRun.Batches(QueryRun.Topic, [line])[0] with { FirstOffset = second });
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        return state.WrittenSpan.ToArray();
    }
}
