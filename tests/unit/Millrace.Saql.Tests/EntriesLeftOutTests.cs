using System.Text;

namespace Millrace.Saql.Tests;

/// <summary>Entries of reference data whose keys fail, and rows whose keys fail.</summary>
public class EntriesLeftOutTests
{
    private const string Query =
        "SELECT t.v, r.name FROM telemetry t JOIN rooms r ON CAST(t.v AS bigint) = CAST(r.serial AS bigint)";

    [Test]
    public void Entries_whose_keys_fail_are_counted_and_those_without_are_not()
    {
        var engine = new QueryEngine(QueryRun.Compile(Query, ["rooms"]), new QueryEngineOptions("q", 1), [],
            new QueryRun(QueryRun.Compile(Query, ["rooms"])));
        var leftOut = engine.SetReference("Rooms", Entries(
            """{"serial":"1"}""", """{"serial":"x7"}""", """{"name":"none"}""", """{"serial":"y"}""", "[3]"));
        Assert.That(leftOut.Count, Is.EqualTo(3));
        Assert.That(leftOut.First, Does.Contain("x7"));
        Assert.That(engine.SetReference("rooms", Entries("""{"serial":"1"}""")), Is.EqualTo(default(EntriesLeftOut)));
        Assert.That(engine.SetReference("others", Entries("""{"serial":"x"}""")), Is.EqualTo(default(EntriesLeftOut)));
    }

    [Test]
    public void What_fails_on_one_side_leaves_the_rest_of_both()
    {
        var plan = QueryRun.Compile(Query, ["rooms"]);
        var run = QueryRun.Over(plan, new Dictionary<string, IEnumerable<string>>
        {
            ["telemetry"] = ["""{"v":"1"}""", """{"v":"z"}""", """{"v":"2"}"""],
        }, references: new Dictionary<string, List<string>>
        {
            ["rooms"] = ["""{"serial":"y","name":"never"}""", """{"serial":2,"name":"attic"}"""],
        });
        Assert.That(run.Json, Is.EqualTo(new[] { """{"v":"2","name":"attic"}""" }));
        Assert.That(run.Failures.Single().Offset, Is.EqualTo(1));
    }

    private static List<byte[]> Entries(params string[] entries) => [.. entries.Select(Encoding.UTF8.GetBytes)];
}
