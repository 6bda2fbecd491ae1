using System.Net.Http.Json;
using System.Text.Json;
using Millrace.ColdPath.Api;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

public sealed class ColdJobTests
{
    private const string From = "2026-11-22T00:00:00Z";
    private const string To = "2026-11-24T00:00:00Z";

    private ColdPathHost _host = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        _host = await ColdPathHost.StartAsync();
        await using var table = await Readings.OpenAsync(_host);
        await table.ArchiveAsync("2026-11-22", 10, "d-1", [1, 2, 3, 4, 5]);
        await table.ArchiveAsync("2026-11-22", 11, "d-1", [10]);
        await table.ArchiveAsync("2026-11-22", 10, "d-2", [7, 9]);
        await table.ArchiveAsync("2026-11-23", 0, "d-2", [100]);
    }

    [OneTimeTearDown]
    public async Task Stop() => await _host.DisposeAsync();

    [Test]
    public async Task The_catalogue_has_the_built_in_jobs_with_their_parameters()
    {
        var list = (await _host.Client.GetFromJsonAsync<ColdJobList>("/api/v1/cold/jobs"))!;
        var shown = (await _host.Client.GetFromJsonAsync<ColdJobInfo>("/api/v1/cold/jobs/device-hour-statistics"))!;

        Assert.That(list.Items.Select(job => job.Name),
            Is.EqualTo(new[]
            {
                "data-quality", "device-hour-statistics", "downsampling", "features", "fleet-activity-by-day",
            }));
        Assert.That(list.Items.Select(job => job.Sql), Is.All.Null);
        Assert.That(shown.Parameters.Select(p => $"{p.Name} {p.Type} {p.Required} {p.Default}"),
            Is.EqualTo(new[] { "from timestamp False now-1d", "to timestamp False now", "columns columns False *" }));
        Assert.That((shown.Sql, shown.Part, shown.Table),
            Is.EqualTo(((string?)null, "day", "job_device_hour_statistics")));
        Assert.That((int)(await _host.Client.GetAsync("/api/v1/cold/jobs/none")).StatusCode, Is.EqualTo(404));
    }

    [Test]
    public async Task Device_hour_statistics_are_right_for_all_promoted_numbers()
    {
        var rows = await RunAsync("device-hour-statistics", new() { ["from"] = From, ["to"] = To });

        Assert.That(rows, Has.Count.EqualTo(8), "4 device hours, temperature and battery");
        const string expected = "{'device_id':'d-1','hour_start':'2026-11-22T10:00:00Z','measure':'temperature',"
            + "'count':5,'min':1,'max':5,'mean':3,'p50':3,'p95':4.8,'p99':4.96}";
        Assert.That(rows[1], Is.EqualTo(expected.Replace('\'', '"')));
        Assert.That(rows[0], Does.Contain("\"measure\":\"battery\",\"count\":5,\"min\":50,\"max\":50"));
    }

    [Test]
    public async Task Device_hour_statistics_take_the_columns_and_times_that_are_asked_for()
    {
        var rows = await RunAsync("device-hour-statistics",
            new() { ["from"] = "2026-11-22T11:00:00Z", ["to"] = To, ["columns"] = "temperature" });

        Assert.That(rows.Select(row => JsonDocument.Parse(row).RootElement.GetProperty("mean").GetDouble()),
            Is.EqualTo(new[] { 10.0, 100.0 }));
    }

    [TestCase("", new[] { 0, 0 })]
    [TestCase("temperature=2..9", new[] { 2, 1 })]
    [TestCase("temperature = ..9.5, battery=50..", new[] { 1, 1 })]
    [TestCase("battery=..49", new[] { 6, 3 })]
    public async Task Data_quality_knows_the_range_of_each_column(string ranges, int[] outOfRange)
    {
        var rows = await RunAsync(
            "data-quality", new() { ["from"] = From, ["to"] = To, ["ranges"] = ranges, ["high"] = "200" });

        Assert.That(rows.Select(row => JsonDocument.Parse(row).RootElement.GetProperty("out_of_range").GetInt32()),
            Is.EqualTo(outOfRange));
    }

    [TestCase("temperature", "CP-0002")]
    [TestCase("temperature=5", "CP-0002")]
    [TestCase("temperature=1..2..3", "CP-0002")]
    [TestCase("temperature=low..9", "CP-0002")]
    [TestCase("temperature=..NaN", "CP-0002")]
    [TestCase("mode=1..2", "CP-0005")]
    [TestCase("none=1..2", "CP-0005")]
    public async Task A_range_that_is_none_is_told(string ranges, string code)
    {
        var (status, body) = await _host.PostAsync(
            "/api/v1/cold/jobs/data-quality/run", new { parameters = new { from = From, to = To, ranges } });
        Assert.That((status, body), Is.EqualTo((400, body)));
        Assert.That(body, Does.Contain(code));
    }

    [Test]
    public async Task Fleet_activity_counts_devices_messages_and_bytes_by_day()
    {
        Assert.That(await RunAsync("fleet-activity-by-day", new() { ["from"] = From, ["to"] = To }), Is.EqualTo(new[]
        {
            """{"day":"2026-11-22","devices":2,"messages":8,"bytes":32}""",
            """{"day":"2026-11-23","devices":1,"messages":1,"bytes":4}""",
        }));
    }

    [Test]
    public async Task A_result_kept_as_parquet_can_be_read_again()
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/jobs/fleet-activity-by-day/run",
            new { parameters = new { from = From, to = To }, output = "parquet" });
        var written = JsonSerializer.Deserialize<ColdJobWritten>(body, JsonSerializerOptions.Web)!;

        Assert.That(status, Is.EqualTo(200), body);
        Assert.That((written.Job, written.Rows), Is.EqualTo(("fleet-activity-by-day", 2)));
        Assert.That(written.Keys.Single(), Does.StartWith("results/fleet-activity-by-day/"));
        var path = _host.Objects.LocalPath(written.Keys[0]);
        var (_, read) = await _host.PostAsync("/api/v1/cold/sql?format=csv",
            new { sql = $"SELECT sum(messages) AS n FROM read_parquet('{path}')" });
        Assert.That(read, Is.EqualTo("n\r\n9\r\n"));
    }

    [TestCase("from", "soon", "CP-0002")]
    [TestCase("columns", "no_such", "CP-0005")]
    [TestCase("columns", "temperature\", 1 AS \"x", "CP-0005")]
    [TestCase("columns", "", "CP-0005")]
    [TestCase("form", From, "CP-0004")]
    public async Task A_parameter_that_is_none_is_told(string name, string value, string code)
    {
        var (status, body) = await _host.PostAsync("/api/v1/cold/jobs/device-hour-statistics/run",
            new { parameters = new Dictionary<string, string> { [name] = value } });

        var found = JsonDocument.Parse(body).RootElement.GetProperty("code").GetString();
        Assert.That((status, found), Is.EqualTo((400, code)));
    }

    [Test]
    public async Task Ones_own_jobs_join_the_catalogue()
    {
        using var folder = new TemporaryFolder();
        WriteJob(folder, "busiest", "SELECT device_id FROM telemetry LIMIT $top",
            """{"description":"Mine","parameters":[{"name":"top","type":"long","description":"How many"}]}""");
        // Where the folder is a volume of Kubernetes, it has hidden ones beside them.
        Directory.CreateDirectory(folder.Sub("..data"));
        await using var host = await ColdPathHost.StartAsync(new() { ["ColdPath:JobsFolder"] = folder.Path });

        var list = (await host.Client.GetFromJsonAsync<ColdJobList>("/api/v1/cold/jobs"))!;
        var (missing, problem) = await host.PostAsync("/api/v1/cold/jobs/busiest/run", new { });
        var (ran, _) = await host.PostAsync("/api/v1/cold/jobs/busiest/run", new { parameters = new { top = 3 } });

        Assert.That(list.Items.Select(job => job.Name), Does.Contain("busiest"));
        Assert.That((missing, ran), Is.EqualTo((400, 200)));
        Assert.That(problem, Does.Contain("CP-0003"));
    }

    [TestCase("Upper", "SELECT 1", "{\"description\":\"x\"}")]
    [TestCase("no-description", "SELECT 1", "{}")]
    [TestCase("unused", "SELECT 1", """
        {"description":"x","parameters":[{"name":"a","type":"long","description":"y"}]}
        """)]
    [TestCase("bad-type", "SELECT $a", """
        {"description":"x","parameters":[{"name":"a","type":"money","description":"y"}]}
        """)]
    [TestCase("unknown-key", "SELECT 1", "{\"description\":\"x\",\"colour\":\"red\"}")]
    public void A_folder_that_is_no_job_stops_the_start(string name, string sql, string manifest)
    {
        using var folder = new TemporaryFolder();
        WriteJob(folder, name, sql, manifest);

        Assert.That(async () => await ColdPathHost.StartAsync(new() { ["ColdPath:JobsFolder"] = folder.Path }),
            Throws.InstanceOf<MillraceException>().With.Message.Contains("CP-0007"));
    }

    private static void WriteJob(TemporaryFolder folder, string name, string sql, string manifest)
    {
        var job = Directory.CreateDirectory(folder.Sub(name)).FullName;
        File.WriteAllText(Path.Combine(job, "job.sql"), sql);
        File.WriteAllText(Path.Combine(job, "job.json"), manifest);
    }

    private async Task<List<string>> RunAsync(string job, Dictionary<string, string> parameters)
    {
        var (status, body) = await _host.PostAsync($"/api/v1/cold/jobs/{job}/run?format=jsonl", new { parameters });
        Assert.That(status, Is.EqualTo(200), body);
        return [.. body.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
