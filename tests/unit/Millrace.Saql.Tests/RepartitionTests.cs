using System.Buffers;
using CsCheck;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>A query that is answered by key gives in two stages what it gives in one place.</summary>
[Category("Samples")]
public class RepartitionTests
{
    private const string Step = "WITH s AS (SELECT room, site, COUNT(*) AS n, MAX(System.Timestamp()) AS t FROM " +
        "telemetry TIMESTAMP BY at GROUP BY room, site, TumblingWindow(second, 3)) ";

    private const string Rooms =
        "SELECT room, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, TumblingWindow(second, 5); ";

    [TestCase("SELECT room, COUNT(*) AS n, SUM(CAST(v AS float)) AS s INTO o FROM telemetry TIMESTAMP BY at WHERE " +
        "v <> 4 GROUP BY room, TumblingWindow(second, 5)")]
    [TestCase("SELECT room, AVG(10 / v) AS a INTO o FROM telemetry GROUP BY room, HoppingWindow(second, 6, 2)")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry WHERE 10 / v > 1 GROUP BY room, " +
        "SlidingWindow(second, 2)")]
    [TestCase("SELECT UPPER(room) AS r, site, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at OVER room GROUP BY " +
        "UPPER(room), room, site, HoppingWindow(Duration(second, 9), Hop(second, 3), Offset(ms, -1))")]
    [TestCase("SELECT 10 / v AS k, COUNT(*) AS n INTO o FROM telemetry GROUP BY 10 / v, TumblingWindow(second, 4)")]
    [TestCase("SELECT v AS k, COUNT(*) AS n, COLLECT() AS all INTO o FROM telemetry GROUP BY v, System.Timestamp()")]
    [TestCase("SELECT site, COUNT(*) AS n, System.Timestamp() AS t INTO o FROM telemetry TIMESTAMP BY at GROUP BY " +
        "site, room, SessionWindow(ms, 900, 5000) OVER (PARTITION BY site)")]
    [TestCase("SELECT v, LAG(v) OVER (PARTITION BY room LIMIT DURATION(second, 5)) AS l, ISFIRST(second, 4) OVER " +
        "(PARTITION BY room) AS f, SUM(v) OVER (PARTITION BY room LIMIT DURATION(second, 3)) AS s INTO o FROM " +
        "telemetry TIMESTAMP BY at WHERE v > 2")]
    [TestCase("SELECT a.v AS x, b.v AS y INTO o FROM telemetry a TIMESTAMP BY at LEFT JOIN telemetry b TIMESTAMP BY " +
        "at ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 2 AND b.v > a.v")]
    [TestCase("SELECT a.v AS x, b.v AS y, System.Timestamp() AS t INTO o FROM telemetry a JOIN alerts b ON a.v = b.v " +
        "AND a.site = b.site AND DATEDIFF(second, a, b) BETWEEN -3 AND 3")]
    [TestCase("SELECT a.v AS x, COUNT(*) AS n INTO o FROM telemetry a JOIN alerts b ON a.v = b.v " +
        "AND DATEDIFF(second, a, b) BETWEEN -3 AND 3 GROUP BY a.v, b.room, TumblingWindow(second, 4)")]
    [TestCase("SELECT * INTO o FROM telemetry TIMESTAMP BY at MATCH_RECOGNIZE (LIMIT DURATION(second, 5) PARTITION " +
        "BY room MEASURES First(A.v) AS a, Last(B.v) AS b PATTERN (A+ B) DEFINE A AS A.v < 6, B AS B.v > 3) AS m")]
    [TestCase(Step + "SELECT room, SUM(n) AS s INTO o FROM s GROUP BY room, TumblingWindow(second, 6)")]
    [TestCase(Step + "SELECT * INTO o FROM s WHERE n > 1; SELECT site, MAX(n) AS m INTO p FROM s GROUP BY site, " +
        "HoppingWindow(second, 9, 3)")]
    [TestCase("SELECT x.ArrayValue AS e, t.room, COUNT(*) AS n INTO o FROM telemetry t CROSS APPLY " +
        "GetArrayElements(t.list) AS x GROUP BY x.ArrayValue, t.room, TumblingWindow(second, 5)")]
    [TestCase("WITH u AS (SELECT room, v FROM telemetry UNION SELECT room, v FROM alerts) " +
        "SELECT room, COUNT(*) AS n INTO p FROM u GROUP BY room, TumblingWindow(second, 3)")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, TumblingWindow(second, 3); " +
        "SELECT * INTO p FROM telemetry WHERE v > 6; SELECT v INTO r FROM alerts")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry PARTITION BY room GROUP BY room, Windows(" +
        "TumblingWindow(second, 3), HoppingWindow(second, 8, 4))")]
    public void Two_stages_answer_what_one_place_answers(string query)
    {
        Assert.That(QueryRun.Compile(query).SendsBySeveralKeys, Is.False);
        Check(query, isDivided: false);
    }

    [TestCaseSource(nameof(OverRoom))]
    public void Two_stages_answer_it_where_substreams_have_timelines(string query)
    {
        Assert.That(QueryRun.Compile(query, ["rooms"]).HasTimelinesByKey, Is.True);
        Check(query, isDivided: false);
    }

    /// <summary>
    /// What the late tolerance holds back for all in one timeline comes in two stages when it comes in one place.
    /// </summary>
    [TestCaseSource(nameof(OverRoom))]
    public void Where_substreams_have_timelines_rows_come_as_early_as_in_one_place(string query)
    {
        var (early, held) = (0, 0);
        Parallel.ForEach(Samples.Seeds(100), seed =>
        {
            var expected = Scenario(true).InOnePlace();
            var found = Scenario(true).InTwoStages();
            Compare($"rows of seed {seed}", expected.Rows,
                found.Rows.Where(row => expected.Rows.ContainsKey(row.Key)));
            Interlocked.Add(ref early, found.Rows.Count);
            Interlocked.Add(ref held, Scenario(false).InTwoStages().Rows.Count);

            RepartitionScenario Scenario(bool hasTimelines) =>
                new(seed, query, isOpen: true, hasTimelines: hasTimelines);
        });
        Assert.That(early, Is.GreaterThan(held * 1.05));
    }

    [TestCase($"SELECT room, site, COUNT(*) AS n FROM telemetry {By} GROUP BY room, site, TumblingWindow(second, 3)")]
    [TestCase($"SELECT room, v INTO o FROM telemetry {By}; SELECT room, v INTO o FROM alerts {By}; " +
        $"SELECT room, COUNT(*) AS n INTO p FROM alerts {By} GROUP BY room, TumblingWindow(second, 3)")]
    [TestCase("SELECT room, COUNT(*) AS n FROM telemetry TIMESTAMP BY at GROUP BY room, TumblingWindow(second, 3)")]
    public void Substreams_that_are_at_several_places_have_no_timelines_there(string query)
    {
        var plan = QueryRun.Compile(query);
        Assert.That((plan.Scope, plan.HasTimelinesByKey), Is.EqualTo((QueryScope.ByKey, false)));
    }

    [Test]
    public void A_state_without_timelines_is_not_taken_by_a_second_stage_that_has_them_nor_the_other_way_round()
    {
        var plan = QueryRun.Compile(OverRoom[0]);
        foreach (var hasTimelines in new[] { true, false })
        {
            var state = new ArrayBufferWriter<byte>();
            Begin(hasTimelines).Save(state);
            Assert.That(() => Begin(!hasTimelines).Restore(state.WrittenSpan),
                Throws.InstanceOf<MillraceException>().With.Message.Contains("SQ-0201"));
            Assert.That(Begin(!hasTimelines).TryRestoreEarlier(state.WrittenSpan, 1), Is.False);
            Assert.That(Begin(hasTimelines).TryRestoreEarlier(state.WrittenSpan, 1), Is.True);
        }

        QueryEngine Begin(bool hasTimelines) => QueryEngine.ForTarget(
            plan, new QueryEngineOptions("q", 2) { HasTimelinesByKey = hasTimelines },
            [new QuerySource("telemetry", new TopicPartition("telemetry", 0), 0)],
            new QuerySource("", new TopicPartition("repartition.q", 0), 0), new RepartitionAnswers(plan));
    }

    private const string By = "TIMESTAMP BY at OVER room";

    private static readonly string[] OverRoom =
    [
        $"SELECT room, COUNT(*) AS n, SUM(CAST(v AS float)) AS s, System.Timestamp() AS t INTO o FROM telemetry {By} " +
            "WHERE v <> 4 GROUP BY room, TumblingWindow(second, 3)",
        $"SELECT room, COUNT(*) AS n INTO o FROM telemetry {By} WHERE v > 4 GROUP BY room, " +
            $"HoppingWindow(second, 4, 2); SELECT room, AVG(10 / v) AS a INTO o2 FROM telemetry {By} GROUP BY room, " +
            "SlidingWindow(second, 2)",
        $"SELECT room, v, LAG(v) OVER (PARTITION BY room LIMIT DURATION(second, 5)) AS l INTO o FROM telemetry {By}; " +
            $"SELECT site, COUNT(*) AS n INTO p FROM telemetry {By} WHERE v < 6 GROUP BY room, site, " +
            "SessionWindow(ms, 900, 5000) OVER (PARTITION BY room)",
        $"SELECT a.v AS x, b.v AS y, System.Timestamp() AS t INTO o FROM telemetry a {By} LEFT JOIN alerts b {By} " +
            "ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 2 AND b.v > a.v",
        $"SELECT a.v AS x, b.v AS y INTO o FROM telemetry a {By} LEFT JOIN telemetry b {By} ON a.room = b.room " +
            "AND DATEDIFF(second, a, b) BETWEEN 1 AND 2 WHERE a.v > 2",
        $"SELECT * INTO o FROM telemetry {By} MATCH_RECOGNIZE (LIMIT DURATION(second, 5) PARTITION BY room MEASURES " +
            "First(A.v) AS a, Last(B.v) AS b PATTERN (A+ B) DEFINE A AS A.v < 6, B AS B.v > 3) AS m",
        $"WITH s AS (SELECT room, site, COUNT(*) AS n FROM telemetry {By} GROUP BY room, site, " +
            "TumblingWindow(second, 2)) SELECT room, SUM(n) AS s INTO o FROM s GROUP BY room, " +
            "TumblingWindow(second, 4)",
        $"WITH u AS (SELECT room, v FROM telemetry {By} UNION SELECT room, v FROM alerts {By} WHERE v > 3) SELECT " +
            "room, COUNT(*) AS n INTO o FROM u GROUP BY room, TumblingWindow(second, 3)",
        $"SELECT t.room, r.floor, COUNT(*) AS n INTO o FROM telemetry t {By} LEFT JOIN rooms r ON t.room = r.id " +
            "GROUP BY t.room, r.floor, TumblingWindow(second, 3); SELECT room, site, COUNT(*) AS n INTO p FROM " +
            "alerts TIMESTAMP BY at OVER room, site GROUP BY room, site, TumblingWindow(second, 4)",
    ];

    [TestCase(Rooms + "SELECT site, SUM(v) AS s INTO p FROM telemetry GROUP BY site, TumblingWindow(second, 3)")]
    [TestCase(Rooms + "SELECT site, COUNT(*) AS n INTO p FROM telemetry WHERE v > 2 GROUP BY site, " +
        "HoppingWindow(second, 6, 2); SELECT * INTO q FROM telemetry WHERE v > 6; SELECT v INTO r FROM alerts")]
    [TestCase("SELECT room AS k, COUNT(*) AS n INTO o FROM telemetry TIMESTAMP BY at GROUP BY room, " +
        "SlidingWindow(second, 2); SELECT site AS k, AVG(10 / v) AS n INTO o FROM telemetry TIMESTAMP BY at GROUP BY " +
        "site, TumblingWindow(second, 5); SELECT v AS k, 1 AS n INTO o FROM telemetry TIMESTAMP BY at WHERE v = 8")]
    [TestCase("WITH a AS (SELECT room, MAX(v) AS m FROM telemetry GROUP BY room, TumblingWindow(second, 3)), " +
        "b AS (SELECT t.site, r.floor, COUNT(*) AS n FROM telemetry t JOIN rooms r ON t.room = r.id AND r.floor < " +
        "t.v GROUP BY t.site, r.floor, TumblingWindow(second, 4)) SELECT * INTO o FROM a; SELECT * INTO p FROM b; " +
        "SELECT site, SUM(n) AS s INTO q FROM b GROUP BY site, TumblingWindow(second, 8)")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, TumblingWindow(second, 3); " +
        "SELECT t.v, r.floor INTO p FROM telemetry t LEFT JOIN rooms r ON t.room = r.id WHERE t.v > 5; " +
        "SELECT site, x.ArrayValue AS e, COUNT(*) AS n INTO q FROM telemetry t CROSS APPLY GetArrayElements(t.list) " +
        "AS x GROUP BY site, x.ArrayValue, TumblingWindow(second, 5)")]
    [TestCase("SELECT a.v AS x, b.v AS y INTO o FROM telemetry a TIMESTAMP BY at LEFT JOIN telemetry b TIMESTAMP BY " +
        "at ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 2 AND b.v > a.v; SELECT site, COUNT(*) AS n " +
        "INTO p FROM telemetry TIMESTAMP BY at WHERE v <> 4 GROUP BY site, SessionWindow(ms, 900, 5000) OVER " +
        "(PARTITION BY site)")]
    [TestCase("SELECT a.v AS x, b.site AS y INTO o FROM telemetry a JOIN alerts b ON a.v = b.v AND " +
        "DATEDIFF(second, a, b) BETWEEN -3 AND 3; SELECT room, COUNT(*) AS n INTO p FROM telemetry GROUP BY room, " +
        "TumblingWindow(second, 3); SELECT site, COUNT(*) AS n INTO q FROM alerts GROUP BY site, " +
        "TumblingWindow(second, 2)")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, COUNT(*) AS n INTO o FROM telemetry GROUP BY " +
        "IoTHub.ConnectionDeviceId, TumblingWindow(second, 3); SELECT 10 / v AS k, COUNT(*) AS n INTO p FROM " +
        "telemetry GROUP BY 10 / v, TumblingWindow(second, 4); SELECT COUNT(*) AS n INTO q FROM telemetry PARTITION " +
        "BY PartitionId GROUP BY TumblingWindow(second, 5)")]
    [TestCase("SELECT * INTO o FROM telemetry TIMESTAMP BY at OVER room MATCH_RECOGNIZE (LIMIT DURATION(second, 5) " +
        "PARTITION BY room, site MEASURES First(A.v) AS a, Last(B.v) AS b PATTERN (A+ B) DEFINE A AS A.v < 6, B AS " +
        "B.v > 3) AS m; SELECT room, v, COUNT(*) AS n INTO p FROM telemetry TIMESTAMP BY at OVER room GROUP BY room, " +
        "v, TumblingWindow(second, 4); SELECT site, room, MAX(v) AS m INTO q FROM telemetry TIMESTAMP BY at OVER " +
        "room GROUP BY site, room, SessionWindow(ms, 900, 5000) OVER (PARTITION BY site)")]
    [TestCase(Rooms + "SELECT site, SUM(v) AS s INTO p FROM telemetry GROUP BY site, TumblingWindow(second, 3); " +
        "SELECT site, MIN(v) AS m INTO q FROM telemetry TIMESTAMP BY at GROUP BY site, TumblingWindow(second, 4); " +
        "SELECT v, COUNT(*) AS n INTO r FROM telemetry TIMESTAMP BY at GROUP BY v, HoppingWindow(second, 6, 3)")]
    [TestCase(Rooms + "SELECT v, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l INTO p FROM " +
        "telemetry")]
    [TestCase(Rooms + "SELECT v, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l INTO p FROM " +
        "telemetry WHERE v > 2; SELECT site, v INTO q FROM telemetry WHERE v > 6")]
    [TestCase(Rooms + "SELECT * INTO p FROM telemetry WHERE v > LAG(v) OVER (PARTITION BY site LIMIT " +
        "DURATION(second, 5)); SELECT v, ISFIRST(second, 4) OVER (PARTITION BY 10 / v) AS f INTO q FROM telemetry; " +
        "SELECT v % 3 AS k, COUNT(*) AS n INTO r FROM telemetry GROUP BY v % 3, TumblingWindow(second, 2)")]
    [TestCase("WITH s AS (SELECT room, site, v, SUM(v) OVER (PARTITION BY site LIMIT DURATION(second, 3)) AS t FROM " +
        "telemetry TIMESTAMP BY at) SELECT site, MAX(t) AS m INTO o FROM s GROUP BY site, TumblingWindow(second, 4); " +
        "SELECT room, MIN(v) AS m INTO p FROM s GROUP BY room, SlidingWindow(second, 2); SELECT t, LAG(t) OVER " +
        "(PARTITION BY site, v LIMIT DURATION(second, 8)) AS l INTO q FROM s WHERE t > 3; SELECT room INTO r FROM s")]
    [TestCase("WITH u AS (SELECT room, site, v FROM telemetry UNION SELECT room, site, v FROM alerts) SELECT v, " +
        "LAST(v) OVER (PARTITION BY room LIMIT DURATION(second, 6) WHEN v > 3) AS l INTO o FROM u; SELECT site, " +
        "COUNT(*) AS n INTO p FROM u GROUP BY site, HoppingWindow(second, 6, 2)")]
    [TestCase("SELECT t.v, r.floor, LAG(t.v) OVER (PARTITION BY t.site LIMIT DURATION(second, 5)) AS l INTO o FROM " +
        "telemetry t JOIN rooms r ON t.room = r.id; SELECT v, x.ArrayValue AS e INTO p FROM telemetry t CROSS APPLY " +
        "GetArrayElements(t.list) AS x; SELECT a.v AS x, b.v AS y INTO q FROM telemetry a JOIN telemetry b ON a.room " +
        "= b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 2 AND b.v > a.v")]
    [TestCase("WITH w AS (SELECT room, site, COUNT(*) AS n FROM telemetry GROUP BY room, site, " +
        "TumblingWindow(second, 2)) SELECT room, n, LAG(n) OVER (PARTITION BY room LIMIT DURATION(second, 9)) AS l " +
        "INTO o FROM w; SELECT v, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l INTO p FROM " +
        "telemetry; SELECT v, LAG(v, 2) OVER (PARTITION BY room LIMIT DURATION(second, 5)) AS l INTO q FROM telemetry")]
    public void Two_stages_answer_it_where_rows_are_sent_by_several_keys(string query)
    {
        Assert.That(QueryRun.Compile(query, ["rooms"]).SendsBySeveralKeys, Is.True);
        Check(query, isDivided: true);
    }

    [TestCase("SELECT room, site, COUNT(*) AS n INTO o FROM telemetry GROUP BY room, site, TumblingWindow(second, 3); "
        + Rooms + "SELECT site, COUNT(*) AS n INTO r FROM telemetry GROUP BY site, TumblingWindow(second, 1)", 2)]
    [TestCase(Rooms + "SELECT site, COUNT(*) AS n INTO r FROM telemetry GROUP BY site, TumblingWindow(second, 1); " +
        "SELECT v, COUNT(*) AS n INTO q FROM telemetry GROUP BY v, TumblingWindow(second, 2); SELECT MAX(v) AS m " +
        "INTO s FROM telemetry GROUP BY room, SlidingWindow(second, 2); SELECT * INTO t FROM telemetry", 3)]
    [TestCase(Rooms + "SELECT site, COUNT(*) AS n INTO r FROM alerts GROUP BY site, TumblingWindow(second, 1)", 1)]
    [TestCase(Rooms + "SELECT site, COUNT(*) AS n INTO r FROM telemetry WHERE v = 99 GROUP BY site, " +
        "TumblingWindow(second, 1)", 1)]
    [TestCase(Rooms + "SELECT v, LAG(v) OVER (PARTITION BY room LIMIT DURATION(second, 5)) AS l INTO p FROM " +
        "telemetry; SELECT site, COUNT(*) AS n INTO r FROM telemetry GROUP BY site, TumblingWindow(second, " +
        "1); SELECT v, SUM(v) OVER (PARTITION BY site, room LIMIT DURATION(second, 5)) AS s INTO q FROM telemetry", 2)]
    [TestCase("SELECT v, LAG(v) OVER (PARTITION BY v % 3 LIMIT DURATION(second, 5)) AS l INTO p FROM telemetry", 1)]
    public void Rows_are_sent_once_for_each_key_that_they_are_needed_by(string query, int times)
    {
        var scenario = new RepartitionScenario(1, query);
        scenario.InTwoStages();
        Assert.That(scenario.TimesSent, Is.EqualTo(times));
    }

    private static void Check(string query, bool isDivided)
    {
        var rows = 0;
        Gen.Int[0, int.MaxValue].Sample(
            seed => Interlocked.Add(ref rows, Check(seed, query, isDivided)),
            iter: Samples.Of(100), print: seed => $"seed {seed}");
        Assert.That(rows, Is.GreaterThan(150));
    }

    [TestCase("SELECT COUNT(*) AS n FROM telemetry GROUP BY TumblingWindow(second, 1)")]
    [TestCase("SELECT a.v FROM telemetry a JOIN telemetry b ON a.room = b.site AND " +
        "DATEDIFF(second, a, b) BETWEEN 0 AND 1")]
    [TestCase(Rooms + "SELECT COUNT(*) AS n INTO p FROM telemetry GROUP BY TumblingWindow(second, 1)")]
    [TestCase(Rooms + "SELECT LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l, LAG(v) OVER (PARTITION " +
        "BY room LIMIT DURATION(second, 5)) AS m INTO p FROM telemetry")]
    [TestCase("WITH s AS (SELECT room, site, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l FROM " +
        "telemetry) SELECT room, SUM(l) AS s INTO o FROM s GROUP BY room, TumblingWindow(second, 5)")]
    [TestCase("WITH s AS (SELECT 1 + LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS k FROM telemetry) " +
        "SELECT k, COUNT(*) AS n INTO o FROM s GROUP BY k, TumblingWindow(second, 5)")]
    [TestCase("WITH s AS (SELECT room, site, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l FROM " +
        "telemetry) SELECT LAG(l) OVER (PARTITION BY room LIMIT DURATION(second, 5)) AS m INTO o FROM s")]
    [TestCase(Step + "SELECT n, LAG(n) OVER (PARTITION BY room LIMIT DURATION(second, 9)) AS l INTO o FROM s; " +
        "SELECT site, SUM(n) AS s INTO p FROM s GROUP BY site, TumblingWindow(second, 6)")]
    [TestCase(Step + "SELECT room, SUM(n) AS s INTO o FROM s GROUP BY room, TumblingWindow(second, 6); " +
        "SELECT site, SUM(n) AS s INTO p FROM s GROUP BY site, TumblingWindow(second, 6)")]
    [TestCase(Rooms + "SELECT a.v FROM telemetry a JOIN telemetry b ON a.room = b.site AND " +
        "DATEDIFF(second, a, b) BETWEEN 0 AND 1")]
    [TestCase(Step + "SELECT COUNT(*) AS k FROM s GROUP BY TumblingWindow(second, 6)")]
    [TestCase(Step + "SELECT COUNT(*) AS k FROM s GROUP BY n, TumblingWindow(second, 6)")]
    [TestCase("SELECT room, COUNT(*) AS n FROM telemetry GROUP BY room, SessionWindow(second, 5, 10)")]
    [TestCase("SELECT LAG(v) OVER (LIMIT DURATION(second, 1)) AS l FROM telemetry")]
    public void Keys_that_go_across_one_another_are_answered_in_one_place(string query) =>
        Assert.That(QueryRun.Compile(query).Scope, Is.EqualTo(QueryScope.AllPartitions));

    private static int Check(int seed, string query, bool isDivided)
    {
        var expected = new RepartitionScenario(seed, query).InOnePlace();
        var found = new RepartitionScenario(seed, query).InTwoStages();
        Compare("rows", expected.Rows, found.Rows);
        Compare("letters", expected.Failures.Keys, found.Failures.Keys);

        // Where an event goes on several routes, which of its failures is told may differ.
        if (!isDivided) Compare("failures", expected.Reasons, found.Reasons);
        Compare("drops", expected.Drops, found.Drops);
        return expected.Rows.Count;
    }

    private static void Compare(
        string what, IEnumerable<KeyValuePair<string, string>> expected,
        IEnumerable<KeyValuePair<string, string>> found) =>
        Compare(what, expected.Select(row => $"{row.Key} {row.Value}"), found.Select(row => $"{row.Key} {row.Value}"));

    private static void Compare(string what, IEnumerable<string> expected, IEnumerable<string> found)
    {
        var (wanted, given) = (expected.ToList(), found.ToList());
        if (!wanted.SequenceEqual(given))
            throw new InvalidOperationException(
                $"{what}: missing\n{string.Join('\n', wanted.Except(given))}\ntoo many\n" +
                string.Join('\n', given.Except(wanted)));
    }
}
