using System.Globalization;
using System.Text.Json;

namespace Millrace.Saql.Tests;

/// <summary>A geography that the query writes out, and the same one as a field of the row.</summary>
public class GeographyTests
{
    private const string Fence = "CreatePolygon(CreatePoint(10, 10), CreatePoint(10, 11), CreatePoint(11, 11.5), " +
        "CreatePoint(12, 10.5), CreatePoint(11, 9), CreatePoint(10, 10))";

    private const string Written =
        """{"type":"Polygon","coordinates":[[[10,10],[11,10],[11.5,11],[10.5,12],[9,11],[10,10]]]}""";

    [Test]
    public void What_is_written_out_gives_what_a_field_gives()
    {
        var random = new Random(11);
        var lines = Enumerable.Range(0, 500).Select(_ => string.Create(CultureInfo.InvariantCulture,
            $$"""{"lat":{{9 + (random.NextDouble() * 4)}},"lon":{{8 + (random.Next(50) / 10.0)}},"f":{{Written}}}"""))
            .Append($$"""{"lat":10,"lon":10,"f":{{Written}}}""").Append($$"""{"lat":null,"lon":10,"f":{{Written}}}""");
        string[] functions = ["ST_WITHIN", "ST_INTERSECTS", "ST_OVERLAPS", "ST_DISTANCE"];
        var columns = functions.SelectMany((name, i) => new[]
        {
            $"{name}(CreatePoint(lat, lon), {Fence}) AS a{i}",
            $"{name}(JSON_PARSE(CAST(CreatePoint(lat, lon) AS nvarchar(max))), f) AS b{i}",
        });
        var run = QueryRun.Over($"SELECT {string.Join(", ", columns)} FROM telemetry", lines);
        Assert.That(run.Failures, Is.Empty);
        Assert.That(run.Rows, Has.Count.EqualTo(502));
        var rows = run.Json.Select(json => JsonDocument.Parse(json).RootElement).ToList();
        foreach (var row in rows)
        {
            for (var i = 0; i < functions.Length; i++)
            {
                Assert.That(row.GetProperty($"a{i}").GetRawText(), Is.EqualTo(row.GetProperty($"b{i}").GetRawText()),
                    functions[i]);
            }
        }

        Assert.That(rows.Count(row => row.GetProperty("a0").GetRawText() == "1"), Is.InRange(50, 450));
    }

    [Test]
    public void A_distance_within_the_arguments_of_another_disturbs_none()
    {
        const string Inner = "ST_DISTANCE(CreatePoint(lat, 40), CreatePoint(lat, 41)) / 1000000";
        var run = QueryRun.Over(
            $"SELECT ST_DISTANCE(CreatePoint(lat, 2), CreatePoint({Inner}, 3)) AS a INTO at_once FROM telemetry " +
            $"SELECT {Inner} AS i INTO inside FROM telemetry", ["""{"lat":1}"""]);
        var inside = JsonDocument.Parse(run.Rows.Single(row => row.Output == "inside").Json).RootElement
            .GetProperty("i").GetRawText();
        var apart = QueryRun.Over(
            $"SELECT ST_DISTANCE(CreatePoint(lat, 2), CreatePoint({inside}, 3)) AS a FROM telemetry",
            ["""{"lat":1}"""]);
        Assert.That(run.Rows.Single(row => row.Output == "at_once").Json, Is.EqualTo(apart.Json.Single()));
    }

    [TestCase("ST_WITHIN(CreatePoint(100, 1), x)", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), 'POLYGON((1 1))')", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), CreatePolygon(CreatePoint(1, 1), CreatePoint(1, 2), CreatePoint(2, 2), " +
        "CreatePoint(3, 3)))", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), 'POLYGON((0 0, 9 0, 9 9, 0 9))')", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), 'POLYGON((0 0, 9 0, 9 9, 0 0), (4 1, 5 2, 5 1, 4 1))')", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), 'POLYGON(0 0, 9 0, 9 9, 0 0)')", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), '2((0 0, 9 0, 9 9, 0 0))')", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), open)", "SQ-0106")]
    [TestCase("ST_WITHIN(CreatePoint(lat, 1), holed)", "SQ-0106")]
    public void What_is_none_fails_its_row_when_it_is_written_out_too(string call, string code)
    {
        const string Open = """{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,9]]]}""";
        const string Holed =
            """{"type":"Polygon","coordinates":[[[0,0],[9,0],[9,9],[0,0]],[[4,1],[5,2],[5,1],[4,1]]]}""";
        var run = QueryRun.Over($"SELECT {call} AS a FROM telemetry",
            [$$"""{"lat":1,"x":"POINT(1 1)","open":{{Open}},"holed":{{Holed}}}"""]);
        Assert.That(run.Failures.Single().Code, Is.EqualTo(code));
    }
}
