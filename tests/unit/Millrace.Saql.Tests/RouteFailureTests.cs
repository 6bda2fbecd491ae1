namespace Millrace.Saql.Tests;

/// <summary>An event that fails on several routes, at whatever places, is told once.</summary>
public class RouteFailureTests
{
    private const string Window = " GROUP BY room, TumblingWindow(second, 3); ";

    /// <param name="query">Its second route fails where the first does, and some rows there alone.</param>
    [TestCase("SELECT room, AVG(10 / v) AS a INTO o FROM telemetry" + Window +
        "SELECT site, MAX(20 / v) AS a INTO p FROM telemetry GROUP BY site, SlidingWindow(second, 2)")]
    [TestCase("SELECT room, COUNT(*) AS n INTO o FROM telemetry WHERE 10 / v > 1" + Window +
        "SELECT site, COUNT(*) AS n INTO p FROM telemetry WHERE 9 / v > 0 AND 9 / (v - 3) < 5 GROUP BY site, " +
        "TumblingWindow(second, 1)")]
    [TestCase("SELECT room, SUM(room) AS s INTO o FROM telemetry WHERE v > 3" + Window +
        "SELECT site, STDEV(room) AS s INTO p FROM telemetry WHERE v > 5 GROUP BY site, TumblingWindow(second, 1)")]
    [TestCase("WITH s AS (SELECT room, site, CAST(list AS float) AS f FROM telemetry WHERE v < 7) " +
        "SELECT room, MAX(f) AS m INTO o FROM s" + Window + "SELECT site, SUM(f) AS m INTO p FROM s GROUP BY site, " +
        "SlidingWindow(second, 2); SELECT v, SUM(v) AS s INTO q FROM telemetry WHERE 10 / v > 0 GROUP BY v, " +
        "TumblingWindow(second, 2)")]
    [TestCase("SELECT v, LAG(v) OVER (PARTITION BY site LIMIT DURATION(second, 5)) AS l, 10 / v AS d INTO o FROM " +
        "telemetry; SELECT room, SUM(10 / v) AS s INTO p FROM telemetry" + Window)]
    [TestCase("SELECT a.v AS x, 10 / b.v AS y INTO o FROM telemetry a JOIN telemetry b ON a.room = b.room AND " +
        "DATEDIFF(second, a, b) BETWEEN 0 AND 1 WHERE b.v > 99; SELECT site, SUM(10 / v) AS s INTO p FROM telemetry " +
        "GROUP BY site, TumblingWindow(second, 3); SELECT 10 / v AS d INTO q FROM telemetry WHERE v < 5")]
    [TestCase("SELECT room, SUM(10 / v) AS s INTO o FROM telemetry" + Window + "SELECT site, MAX(v) AS m INTO p FROM " +
        "telemetry GROUP BY site, TumblingWindow(second, 3); SELECT 20 / v AS d INTO q FROM telemetry; " +
        "SELECT CAST(list AS float) AS f INTO r FROM telemetry WHERE v < 5")]
    public void An_event_that_fails_on_several_routes_is_told_once(string query)
    {
        var failed = 0;
        for (var seed = 0; seed < 60; seed++)
        {
            var expected = new RepartitionScenario(seed, query, isCalm: true).InOnePlace();
            var found = new RepartitionScenario(seed, query, isCalm: true).InTwoStages();
            Assert.That(found.Failures.Keys, Is.EqualTo(expected.Failures.Keys), $"seed {seed}");
            Assert.That(found.Failures.Values, Is.All.Count.EqualTo(1), $"seed {seed}");
            Assert.That(expected.Failures.Values, Is.All.Count.EqualTo(1), $"seed {seed}");
            failed += found.Reasons.Count(reason => reason.EndsWith("True", StringComparison.Ordinal));
        }

        Assert.That(failed, Is.GreaterThan(100));
    }

    /// <summary>A function of which nobody knows whether it will fail there, too.</summary>
    [TestCase("REGEXMATCH(room, 'r') / v", 2)]
    [TestCase("10 / v", 1)]
    public void What_may_fail_at_one_place_alone_is_told_at_each(string value, int times)
    {
        var query = $"SELECT room, SUM({value}) AS s INTO o FROM telemetry{Window}" +
            $"SELECT site, SUM({value}) AS s INTO p FROM telemetry GROUP BY site, TumblingWindow(second, 1)";
        var found = new RepartitionScenario(1, query, isCalm: true).InTwoStages();
        Assert.That(found.Failures.Values.Max(told => told.Count), Is.EqualTo(times));
        Assert.That(found.Counts.Values, Is.All.EqualTo(1));
    }

    /// <summary>A version before, whose state was taken, may have sent a row on the second route alone.</summary>
    [Test]
    public void Where_rows_may_be_of_a_version_before_each_route_tells()
    {
        const string Query = $"SELECT room, SUM(10 / v) AS s INTO o FROM telemetry{Window}" +
            "SELECT site, SUM(10 / v) AS s INTO p FROM telemetry GROUP BY site, TumblingWindow(second, 1)";
        var found = new RepartitionScenario(1, Query, isCalm: true, tellsOnEachRoute: true).InTwoStages();
        Assert.That(found.Failures.Values.Max(told => told.Count), Is.EqualTo(2));
        Assert.That(found.Counts.Values.Max(), Is.EqualTo(2));
    }
}
