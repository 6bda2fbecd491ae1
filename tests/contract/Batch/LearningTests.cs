using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Hosting;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.Models.Registry;
using Millrace.Stores.Jobs;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// The jobs of docs/examples on both engines, over files and over S3: what one learns is what the other learns, and one
/// scores with what the other trained.
/// </summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class LearningTests(bool isS3)
{
    private static readonly TimePart Day = TimePart.Of(JobPart.Day, SampleArchive.Start);

    private readonly List<ServiceProvider> _services = [];
    private TemporaryFolder? _folder;
    private BothEngines? _both;

    [SetUp]
    public async Task Open()
    {
        _folder = new TemporaryFolder();
        _both = await BothEngines.OpenAsync(isS3);
        await MachineArchive.WriteAsync(_both.Store);
    }

    [TearDown]
    public async Task Close()
    {
        foreach (var services in _services) await services.DisposeAsync();
        if (_both is not null) await _both.DisposeAsync();
        _folder?.Dispose();
    }

    [Test]
    public async Task Both_engines_learn_the_same_and_score_with_what_the_other_learned()
    {
        var (duckDb, spark) = (ColdPathOn(_both!.DuckDb), ColdPathOn(_both.Spark));
        var registry = duckDb.GetRequiredService<ModelRegistry>();
        var (scores, drifts) = (new List<List<double>>(), new List<List<string>>());
        foreach (var (trains, scoring, reader) in new[] { (duckDb, spark, _both.DuckDb), (spark, duckDb, _both.Spark) })
        {
            await RunAsync(trains, "machine-features");
            await RunAsync(trains, "anomaly-training");
            await RunAsync(trains, "wear-training");
            var newest = (await registry.VersionsAsync("wear", default))[^1];
            await registry.PromoteAsync("wear", newest.Version, "test", default);
            var rows = await RunAsync(scoring, "wear-scores");
            await RunAsync(scoring, "wear-drift");

            scores.Add([.. (await RowsAsync(reader, "SELECT score FROM job_wear_scores WHERE score IS NOT NULL " +
                $"AND model_version = {newest.Version} ORDER BY device_id, step_start")).Select(double.Parse)]);
            Assert.That(scores[^1], Has.Count.EqualTo(rows - MachineArchive.Machines), "the first step has no change");
            drifts.Add(await RowsAsync(reader, "SELECT feature, rows, stability_index < 0.1 AS same " +
                "FROM job_wear_drift ORDER BY feature"));
        }

        var wear = await registry.VersionsAsync("wear", default);
        Assert.That(wear.Select(one => one.Version), Is.EqualTo(new[] { 1, 2 }));
        Assert.That(wear[0].Metrics["r_squared"], Is.GreaterThan(0.8));
        AssertSame(wear);
        AssertSame(await registry.VersionsAsync("unusual", default));
        Assert.That(scores[1], Is.EqualTo(scores[0]).Within(0.01));
        Assert.That(drifts[1], Is.EqualTo(drifts[0]));
        Assert.That(drifts[0], Has.Count.EqualTo(4).And.All.EndsWith("|true"));
        Assert.That((await registry.RollbackAsync("wear", "test", default)).Version, Is.EqualTo(1));
    }

    private static void AssertSame(IReadOnlyList<ModelManifest> versions)
    {
        foreach (var (metric, value) in versions[0].Metrics)
            Assert.That(versions[1].Metrics[metric], Is.EqualTo(value).Within(0.1).Percent, metric);
    }

    private static async Task<long> RunAsync(ServiceProvider coldPath, string job)
    {
        var run = await coldPath.GetRequiredService<JobRunner>()
            .RunAsync(job, Day, ColdJobs.NoParameters, "test", default);
        Assert.That(run.State, Is.EqualTo(JobRunState.Succeeded), $"{job}: {run.Error}");
        return run.Rows;
    }

    private static async Task<List<string>> RowsAsync(IBatchEngine engine, string sql)
    {
        await using var result = await engine.QueryAsync(new BatchQuery(sql));
        return await ArrowText.RowsAsync(result);
    }

    private ServiceProvider ColdPathOn(IBatchEngine engine)
    {
        var services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(
                new Dictionary<string, string?>
                {
                    ["ColdPath:JobsFolder"] = Examples.PathOf("machines"),
                    ["ColdPath:RunAttemptsMax"] = "1",
                }).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder!.Sub($"{_services.Count}")))
            .AddLogging()
            .AddSingleton(_both!.Store)
            .AddSingleton(engine)
            .AddSqliteStores()
            .AddValidatedOptions<NodeOptions>("Node")
            .AddMillraceColdPath();
        _services.Add(services.BuildServiceProvider());
        return _services[^1];
    }
}
