using Microsoft.Extensions.Time.Testing;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.ColdPath.Scheduling;
using Millrace.Models.Registry;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.Stores.Jobs;
using Millrace.TestKit;

namespace Millrace.ColdPath.Tests;

/// <summary>Jobs that train a model, score rows with it, and compare rows with what it learned from.</summary>
public sealed class ModelJobTests
{
    /// <summary>200 devices, and for each 10 rows whose label is the sum of their features; one lacks one.</summary>
    private const string Rows = """
        SELECT 'd-' || CAST(i % 200 AS VARCHAR) AS device_id,
          CASE WHEN i = 7 THEN NULL ELSE CAST(i % 37 AS DOUBLE) END AS a,
          CAST(i % 11 AS BIGINT) + {0} AS b, CAST(i % 37 + i % 11 AS DOUBLE) AS total, $from AS since
        FROM (SELECT unnest(range(2000)) AS i) WHERE $from < $to
        """;

    private TemporaryFolder _jobs = null!;
    private ColdPathHost _host = null!;

    [SetUp]
    public async Task Start()
    {
        _jobs = new TemporaryFolder();
        Write("learn", 0, "'does': 'train', 'name': 'sum', 'kind': 'remaining-life', 'label': 'total', 'over': '7d'");
        Write("odd", "0.5", "'does': 'train', 'name': 'odd', 'kind': 'anomaly'");
        Write("scores", 0, "'does': 'score', 'name': 'sum'");
        Write("drift", 5, "'does': 'drift', 'name': 'sum'");
        _host = await ColdPathHost.StartAsync(Settings());
    }

    [TearDown]
    public async Task Stop()
    {
        await _host.DisposeAsync();
        _jobs.Dispose();
    }

    [Test]
    public async Task A_model_is_trained_promoted_and_scores_the_archive()
    {
        var run = await RunAsync("learn");
        Assert.That((run.State, run.Rows), Is.EqualTo((JobRunState.Succeeded, 1_999L)), run.Error);
        await RunAsync("learn");
        var made = await Registry.VersionsAsync("sum", default);
        Assert.That(made.Select(one => one.Version), Is.EqualTo(new[] { 1, 2 }), "a run again is a new version");
        Assert.That((made[0].Kind, made[0].Source, string.Join(',', made[0].Features.Select(one => one.Name))),
            Is.EqualTo((ModelKind.RemainingLife, "learn 2026-11-22", "a,b")));
        Assert.That(made[0].Metrics["mean_absolute_error"], Is.LessThan(1.5), "of 0 to 46");

        var early = await RunAsync("scores");
        Assert.That((early.State, early.Error?[..7]), Is.EqualTo((JobRunState.Failed, "MO-0002")), "none is promoted");
        await Registry.PromoteAsync("sum", 2, "me", default);
        Assert.That((await RunAsync("scores")).Rows, Is.EqualTo(2_000));
        await RunAsync("scores");

        Assert.That(await SqlAsync("SELECT count(*) AS n, count(score) AS scored, max(model_version) AS v, " +
            "max(abs(score - total)) < 12 AS near FROM job_scores"), Is.EqualTo("2000,1999,2,true"));
    }

    [Test]
    public async Task Drift_tells_which_feature_has_moved()
    {
        await RunAsync("learn");
        await Registry.PromoteAsync("sum", 1, "me", default);
        Assert.That((await RunAsync("drift")).Error, Is.Null);

        Assert.That(await SqlAsync("SELECT feature, rows, stability_index < 0.1 AS same, " +
                "stability_index > 0.25 AS moved, model_version FROM job_drift ORDER BY feature"),
            Is.EqualTo("a,1999,true,false,1\r\nb,2000,false,true,1"));
    }

    [Test]
    public async Task Anomalies_are_learned_without_a_label()
    {
        Assert.That((await RunAsync("odd")).Error, Is.Null);
        var made = await Registry.GetAsync("odd", 1, default);
        Assert.That((made.Kind, string.Join(',', made.Features.Select(one => one.Name))),
            Is.EqualTo((ModelKind.Anomaly, "a,b,total")));
        Assert.That(made.Features[1].Training!.Min, Is.EqualTo(0.5), "a decimal is a number too");
        Assert.That(made.Metrics["score_p99"], Is.InRange(0, 1));
    }

    [Test]
    public async Task A_schedule_trains_once_on_what_is_the_newest()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.Zero));
        await using var host = await ColdPathHost.StartAsync(Settings(), clock);
        var (scheduler, job) = (host.Get<JobScheduler>(), host.Get<JobCatalog>().Get("learn"));
        await scheduler.ServeAsync(job, default);
        clock.Advance(TimeSpan.FromDays(4));
        await scheduler.ServeAsync(job, default);

        Assert.That((await host.Get<IJobStore>().ListRunsAsync("learn", 10)).Select(one => one.Part),
            Is.EqualTo(new[] { "2026-11-25" }));
    }

    [TestCase("'does': 'train', 'name': 'x'", "kind is anomaly or remaining-life")]
    [TestCase("'does': 'train', 'name': 'x', 'kind': 'remaining-life'", "label names the column")]
    [TestCase("'does': 'train', 'name': 'x', 'kind': 'anomaly', 'holdOut': 1", "holdOut is a share")]
    [TestCase("'does': 'score', 'name': 'x', 'over': 'a day'", "over 'a day' is no duration")]
    public void A_folder_that_says_no_model_is_told(string model, string why)
    {
        Write("wrong", 0, model);
        var wrong = Assert.Throws<MillraceException>(() => JobFolder.ReadAll(_jobs.Path));
        Assert.That(wrong!.Error.Code, Is.EqualTo("CP-0007"));
        Assert.That(wrong.Error.Detail, Does.Contain(why));
    }

    [Test]
    public async Task A_label_that_is_not_there_is_told()
    {
        Write("astray", 0, "'does': 'train', 'name': 'x', 'kind': 'remaining-life', 'label': 'life'");
        await using var host = await ColdPathHost.StartAsync(Settings());
        var run = await RunAsync("astray", host);
        Assert.That((run.State, run.Error?[..7]), Is.EqualTo((JobRunState.Failed, "MO-0008")));
    }

    [Test]
    public async Task More_rows_than_the_limit_are_told_and_not_held()
    {
        var settings = Settings();
        settings["ColdPath:TrainingRowsMax"] = "1998";
        await using var host = await ColdPathHost.StartAsync(settings);
        await PromoteSumAsync(host);

        var refused = await RunAsync("learn", host);
        Assert.That(refused.State, Is.EqualTo(JobRunState.Failed));
        Assert.That(refused.Error,
            Does.StartWith("MO-0011: The statement has more rows than a model may be trained on. The most is 1998."));
        Assert.That((await RunAsync("drift", host)).State, Is.EqualTo(JobRunState.Succeeded), "it holds none");
    }

    [Test]
    public async Task Scored_rows_become_files_as_they_come()
    {
        var settings = Settings();
        settings["ColdPath:ScoredFileSize"] = "100KiB";
        Write("many", 0, "'does': 'score', 'name': 'sum'");
        var statement = Path.Combine(_jobs.Sub("many"), "job.sql");
        await File.WriteAllTextAsync(
            statement, (await File.ReadAllTextAsync(statement)).Replace("range(2000)", "range(40000)"));
        await using var host = await ColdPathHost.StartAsync(settings);
        await PromoteSumAsync(host);

        var run = await RunAsync("many", host);

        Assert.That((run.Error, run.Rows), Is.EqualTo(((string?)null, 40_000L)));
        var files = new List<ObjectInfo>();
        await foreach (var file in host.Objects.ListAsync("jobs/many/part_day")) files.Add(file);
        Assert.That(files, Has.Count.GreaterThan(10));
        Assert.That(files.Select(file => file.Bytes), Has.All.LessThan(200 << 10));
        Assert.That(files.Sum(file => file.Bytes), Is.EqualTo(run.Bytes));
        Assert.That(await SqlAsync("SELECT count(*) AS n, count(score) AS scored, count(DISTINCT total) AS totals, " +
            "max(abs(score - total)) AS off FROM job_many", host), Is.EqualTo("40000,39999,47,0"));
    }

    [TestCase("0")]
    [TestCase("2GiB")]
    public void A_size_that_no_file_can_have_is_told_at_the_start(string size)
    {
        var settings = Settings();
        settings["ColdPath:ScoredFileSize"] = size;
        Assert.That(async () => await ColdPathHost.StartAsync(settings), Throws.Exception.With.Message.Contains(
            $"ColdPath:ScoredFileSize is {size}"));
    }

    [Test]
    public async Task Versions_that_nobody_promoted_make_room()
    {
        var settings = Settings();
        settings["ColdPath:UnpromotedVersionsMax"] = "2";
        await using var host = await ColdPathHost.StartAsync(settings);
        var registry = host.Get<ModelRegistry>();
        for (var version = 1; version <= 5; version++)
        {
            Assert.That((await RunAsync("learn", host)).Error, Is.Null);
            if (version == 1) await registry.PromoteAsync("sum", 1, "me", default);
        }

        Assert.That((await registry.VersionsAsync("sum", default)).Select(one => one.Version),
            Is.EqualTo(new[] { 1, 4, 5 }));
    }

    private ModelRegistry Registry => _host.Get<ModelRegistry>();

    /// <summary>The model sum is the sum, from elsewhere.</summary>
    private static async Task PromoteSumAsync(ColdPathHost host)
    {
        await host.Get<ModelRegistry>().AddAsync(new ModelDraft("sum", ModelKind.Score, ModelFormat.Onnx,
            [new("a"), new("b")], new Dictionary<string, double>(), "me", "a test"), TinyOnnx.WeightedSum(1, 1),
            default);
        await host.Get<ModelRegistry>().PromoteAsync("sum", 1, "me", default);
    }

    private Dictionary<string, string?> Settings() => new()
    {
        ["ColdPath:Scheduler"] = "false",
        ["ColdPath:RunAttemptsMax"] = "1",
        ["ColdPath:JobsFolder"] = _jobs.Path,
    };

    /// <param name="shift">A number with a point makes the feature b a decimal.</param>
    private void Write(string name, object shift, string model)
    {
        var folder = Directory.CreateDirectory(_jobs.Sub(name)).FullName;
        File.WriteAllText(Path.Combine(folder, "job.sql"), string.Format(Rows, shift));
        File.WriteAllText(Path.Combine(folder, "job.json"), $$"""
            {"description":"x","part":"day","schedule":{"cron":"0 3 * * *","lookBack":"1d"},
             "model":{ {{model.Replace('\'', '"')}} },
             "parameters":[{"name":"from","type":"timestamp","description":"y"},
               {"name":"to","type":"timestamp","description":"z"}]}
            """);
    }

    private Task<JobRun> RunAsync(string job, ColdPathHost? host = null) => (host ?? _host).Get<JobRunner>().RunAsync(
        job, TimePart.Parse(JobPart.Day, "2026-11-22")!.Value, ColdJobs.NoParameters, "test", default);

    private async Task<string> SqlAsync(string sql, ColdPathHost? host = null)
    {
        var (status, body) = await (host ?? _host).PostAsync("/api/v1/cold/sql?format=csv", new { sql });
        Assert.That(status, Is.EqualTo(200), body);
        return string.Join("\r\n", body.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Skip(1));
    }
}
