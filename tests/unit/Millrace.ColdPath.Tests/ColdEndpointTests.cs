using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Millrace.ColdPath.Api;

namespace Millrace.ColdPath.Tests;

public sealed class ColdEndpointTests
{
    private ColdPathHost _host = null!;

    [OneTimeSetUp]
    public async Task Start() => _host = await ColdPathHost.StartAsync(new() { ["ColdPath:RowsDefault"] = "5" });

    [OneTimeTearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [SetUp]
    public void Operate() => _host.As("operate");

    [Test]
    public async Task Json_has_columns_with_types_and_rows_in_their_order()
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/sql", new
        {
            sql = """
                SELECT 1 AS i, 1.5::DOUBLE AS d, 12.30::DECIMAL(10, 2) AS m, 'ü"x' AS s, true AS b, NULL AS n,
                  DATE '2026-11-22' AS day, TIMESTAMPTZ '2026-11-22 10:00:00.25+00' AS at, '\xAB'::BLOB AS bytes,
                  MAP {'k': 'v'} AS map, [1, NULL] AS list, {'a': 1, 'b': 'x'} AS obj,
                  170141183460469231731687303715884105727::HUGEINT AS huge,
                  INTERVAL 90 MINUTE AS span, 'NaN'::DOUBLE AS nan, TIME '10:00:01.5' AS t, 'x'::ENUM('y', 'x') AS e
                """,
        });

        Assert.That(status, Is.EqualTo(200), body);
        using var json = JsonDocument.Parse(body);
        var columns = json.RootElement.GetProperty("columns").EnumerateArray()
            .Select(column => $"{column.GetProperty("name")}:{column.GetProperty("type")}");
        Assert.That(string.Join(' ', columns), Is.EqualTo(
            "i:long d:double m:decimal s:string b:bool n:long day:date at:timestamp bytes:binary map:object "
            + "list:object obj:object huge:decimal span:string nan:double t:string e:string"));
        Assert.That(json.RootElement.GetProperty("rows")[0].GetRawText(), Is.EqualTo(
            """[1,1.5,12.30,"ü\"x",true,null,"2026-11-22","2026-11-22T10:00:00.25Z","qw==",{"k":"v"},[1,null],"""
            + """{"a":1,"b":"x"},170141183460469231731687303715884105727,"P0M0DT1H30M","NaN","10:00:01.5","x"]"""));
        Assert.That(json.RootElement.GetProperty("truncated").GetBoolean(), Is.False);
    }

    [Test]
    public async Task Times_beyond_those_of_other_systems_are_told_too()
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/sql", new
        {
            sql = """
                SELECT DATE '9999-12-31' AS a, DATE '9999-12-31' + 1 AS b, DATE '0001-01-01' - 1 AS c,
                  DATE '9999-12-31' + 5000000 AS d, TIMESTAMP '290000-12-31 10:00:00.5' AS e,
                  TIMESTAMP '0001-01-01 00:00:00' - INTERVAL 1 SECOND AS f, TIME '24:00:00' AS g,
                  TIMESTAMP_S '290000-12-31' AS h, TIMESTAMP '1969-12-31 23:59:59.999999' AS i
                """,
        });

        Assert.That(status, Is.EqualTo(200), body);
        using var json = JsonDocument.Parse(body);
        Assert.That(json.RootElement.GetProperty("rows")[0].EnumerateArray().Select(cell => cell.GetString()),
            Is.EqualTo(new[]
            {
                "9999-12-31", "+10000-01-01", "+0000-12-31", "+23689-07-13", "+290000-12-31T10:00:00.5Z",
                "+0000-12-31T23:59:59Z", "24:00:00", "+290000-12-31T00:00:00Z", "1969-12-31T23:59:59.999999Z",
            }));
    }

    [Test]
    public async Task Json_lines_are_one_object_a_row()
    {
        var (_, body) = await _host.PostAsync("/api/v1/cold/sql?format=jsonl",
            new { sql = "SELECT i, 'x' || i AS s, i AS i FROM range(3) AS r(i) ORDER BY i" });

        Assert.That(body, Is.EqualTo(
            "{\"i\":0,\"s\":\"x0\",\"i_2\":0}\n{\"i\":1,\"s\":\"x1\",\"i_2\":1}\n{\"i\":2,\"s\":\"x2\",\"i_2\":2}\n"));
    }

    [Test]
    public async Task Csv_is_quoted_where_it_must_be()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/v1/cold/sql")
        {
            Content = JsonContent.Create(new
            {
                sql = "SELECT 'a,b' AS x, 'say \"hi\"' AS \"the y\", NULL AS n, '' AS e, 1.5::DOUBLE AS d",
            }),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/csv"));
        using var response = await _host.Client.SendAsync(request);

        Assert.That(response.Content.Headers.ContentType!.MediaType, Is.EqualTo("text/csv"));
        Assert.That(await response.Content.ReadAsStringAsync(),
            Is.EqualTo("x,the y,n,e,d\r\n\"a,b\",\"say \"\"hi\"\"\",,\"\",1.5\r\n"));
    }

    [Test]
    public async Task Rows_are_cut_at_the_limit_and_the_answer_says_so()
    {
        var cut = await SqlAsync("SELECT * FROM range(100)", rowsMax: 3);
        var byDefault = await SqlAsync("SELECT * FROM range(100)");
        var whole = await SqlAsync("SELECT * FROM range(3)", rowsMax: 3);

        Assert.That((cut.Rows.Count, cut.Truncated), Is.EqualTo((3, true)));
        Assert.That((byDefault.Rows.Count, byDefault.Truncated), Is.EqualTo((5, true)));
        Assert.That((whole.Rows.Count, whole.Truncated), Is.EqualTo((3, false)));
    }

    [Test]
    public async Task A_large_answer_streams_whole()
    {
        var result = await SqlAsync("SELECT i, i::VARCHAR AS s FROM range(200000) AS r(i)", rowsMax: 200_000);

        Assert.That(result.Rows, Has.Count.EqualTo(200_000));
        Assert.That(result.Rows[^1][1].GetString(), Is.EqualTo("199999"));
    }

    [Test]
    public async Task Parameters_are_given_by_name()
    {
        var (_, body) = await _host.PostAsync("/api/v1/cold/sql?format=jsonl", new
        {
            sql = "SELECT $a || 'x' AS a, $b + 1 AS b, $c AS c, $d IS NULL AS d",
            parameters = new Dictionary<string, object?> { ["a"] = "t", ["b"] = 41, ["c"] = true, ["d"] = null },
        });

        Assert.That(body, Is.EqualTo("{\"a\":\"tx\",\"b\":42,\"c\":true,\"d\":true}\n"));
    }

    [TestCase("SELEC 1", "BA-0001")]
    [TestCase("DROP VIEW telemetry", "BA-0003")]
    [TestCase("SELECT * FROM read_csv('/etc/passwd')", "BA-0001")]
    [TestCase(" ", "CP-0006")]
    public async Task A_refused_statement_is_a_problem_with_its_code(string sql, string code)
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/sql", new { sql });

        Assert.That(status, Is.EqualTo(400));
        Assert.That(JsonDocument.Parse(body).RootElement.GetProperty("code").GetString(), Is.EqualTo(code));
    }

    [Test]
    public async Task An_unknown_format_is_a_problem()
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/sql?format=xml", new { sql = "SELECT 1" });

        Assert.That((status, body), Is.EqualTo((400, body)));
        Assert.That(body, Does.Contain("CP-0006"));
    }

    [Test]
    public async Task An_answer_that_fails_on_its_way_does_not_look_whole() => Assert.That(
        async () => await _host.PostAsync("/api/v1/cold/sql", new
        {
            sql = "SELECT CASE WHEN i < 400000 THEN i ELSE error('broken') END AS i FROM range(500000) AS r(i)",
            rowsMax = 500_000,
        }),
        Throws.InstanceOf<HttpRequestException>());

    [Test]
    public async Task Reading_needs_a_scope_and_keeping_a_wider_one()
    {
        const string run = "/api/v1/cold/jobs/fleet-activity-by-day/run";
        _host.Client.DefaultRequestHeaders.Authorization = null;
        Assert.That((await _host.PostAsync("/api/v1/cold/sql", new { sql = "SELECT 1" })).Status, Is.EqualTo(401));

        _host.As("read");
        Assert.That((await _host.PostAsync("/api/v1/cold/sql", new { sql = "SELECT 1" })).Status, Is.EqualTo(200));
        Assert.That((await _host.PostAsync(run, new { })).Status, Is.EqualTo(200));
        Assert.That((await _host.PostAsync(run, new { output = "parquet" })).Status, Is.EqualTo(403));
    }

    private async Task<ColdResult> SqlAsync(string sql, long? rowsMax = null)
    {
        var request = new ColdSqlRequest(sql, RowsMax: rowsMax);
        using var response = await _host.Client.PostAsJsonAsync("/api/v1/cold/sql", request);
        return (await response.Content.ReadFromJsonAsync<ColdResult>())!;
    }
}
