using System.Text.Json;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.ColdPath;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Hosting;
using Millrace.Hosting.Health;
using Millrace.Hosting.Node;
using Millrace.Hosting.Options;
using Millrace.ObjectStore;
using Millrace.Stores.Jobs;
using Millrace.Stores.Sqlite;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Batch;

/// <summary>A Spark server that dies while it writes the rows of a run to S3.</summary>
[TestFixture]
[Category("Faults")]
public sealed class SparkWriteFaultTests
{
    private const string Job = "many-rows";
    private const int Few = 1_000;
    private const int Many = 1_000_000;

    /// <summary>A small file from each of many tasks, so that some are written long before the last.</summary>
    private const string Sql = """
        SELECT i, md5(CAST(i AS STRING)) AS digest FROM range(0, 1000000, 1, 200) AS r(i)
        WHERE i < $rows
          AND (SELECT count(*) FROM telemetry WHERE enqueued_at >= $from AND enqueued_at < $to) > 0
        """;

    private const string Definition = """
        {
          "description": "Many rows.",
          "part": "day",
          "parameters": [
            { "name": "from", "type": "timestamp", "description": "From here on.", "default": "now-1d" },
            { "name": "to", "type": "timestamp", "description": "Before this.", "default": "now" },
            { "name": "rows", "type": "long", "description": "How many." }
          ]
        }
        """;

    private static readonly TimePart Part = TimePart.Of(JobPart.Day, SampleArchive.Start);

    private readonly List<ServiceProvider> _processes = [];
    private Dictionary<string, string?> _settings = null!;
    private SparkServers? _servers;
    private TemporaryFolder _folder = null!;

    [SetUp]
    public async Task Open()
    {
        (_servers, var reason) = await SparkServers.FindAsync(alone: true);
        if (_servers is null) Assert.Ignore(reason);
        _folder = new TemporaryFolder();
        Directory.CreateDirectory(_folder.Sub($"jobs/{Job}"));
        await File.WriteAllTextAsync(_folder.Sub($"jobs/{Job}/job.sql"), Sql);
        await File.WriteAllTextAsync(_folder.Sub($"jobs/{Job}/job.json"), Definition);
        var bucket = $"faults-{Guid.NewGuid():N}";
        _settings = (await _servers!.S3Async())!.Settings(bucket);
        _settings["ObjectStore:S3:Prefix"] = "hub/one";
        _settings["Batch:Kind"] = "Spark";
        _settings["Spark:Remote"] = _servers.Remote;
        _settings["Spark:ArchiveRoot"] = $"s3a://{bucket}/hub/one";
        _settings["Spark:ReattachAttemptsMax"] = "3";
        _settings["ColdPath:JobsFolder"] = _folder.Sub("jobs");
        _settings["ColdPath:RetryDelay"] = "00:00:05";
    }

    [TearDown]
    public async Task Close()
    {
        foreach (var process in _processes) await process.DisposeAsync();
        if (_servers is not null) await _servers.DisposeAsync();
        _folder?.Dispose();
    }

    [Test]
    public async Task A_run_that_it_was_writing_for_has_failed_and_left_the_part_and_the_next_run_replaces_it()
    {
        var process = await StartAsync(attempts: 1);
        await SampleArchive.WriteAsync(process.GetRequiredService<IObjectStore>());
        Assert.That((await RunAsync(process, Few)).State, Is.EqualTo(JobRunState.Succeeded));

        var run = await KilledWhileItWritesAsync(process);
        await _servers!.StartAsync();
        var failed = await run;
        Assert.That(failed.State, Is.EqualTo(JobRunState.Failed));
        Assert.That(failed.Error, Does.StartWith("BA-"));
        Assert.That(await RowsAsync(process), Is.EqualTo($"{Few}|{Few}"), "as it was");

        Assert.That((await RunAsync(process, Many)).State, Is.EqualTo(JobRunState.Succeeded));
        Assert.That(await RowsAsync(process), Is.EqualTo($"{Many}|{Many}"));
        var history = await process.GetRequiredService<IJobStore>().ListRunsAsync(Job, 10);
        Assert.That(history.Select(one => one.State),
            Is.EqualTo(new[] { JobRunState.Succeeded, JobRunState.Failed, JobRunState.Succeeded }));
    }

    [Test]
    public async Task A_run_that_may_be_tried_again_ends_with_each_row_once()
    {
        var process = await StartAsync(attempts: 6);
        await SampleArchive.WriteAsync(process.GetRequiredService<IObjectStore>());

        var run = await KilledWhileItWritesAsync(process);
        await _servers!.StartAsync();

        var last = await run;
        Assert.That(last.State, Is.EqualTo(JobRunState.Succeeded), last.Error);
        Assert.That(last.Attempt, Is.GreaterThan(1));
        Assert.That(last.Rows, Is.EqualTo(Many));
        Assert.That(await RowsAsync(process), Is.EqualTo($"{Many}|{Many}"));
        var history = await process.GetRequiredService<IJobStore>().ListRunsAsync(Job, 10);
        Assert.That(history.Skip(1).Select(one => one.State), Is.Not.Empty.And.All.EqualTo(JobRunState.Failed));
    }

    /// <summary>A run of many rows, whose server is dead; some of its objects are there, and not all.</summary>
    private async Task<Task<JobRun>> KilledWhileItWritesAsync(ServiceProvider process)
    {
        var store = process.GetRequiredService<IObjectStore>();
        var before = await KeysAsync(store);
        var run = Task.Run(() => RunAsync(process, Many));
        await Eventually.TrueAsync(
            async () => run.IsCompleted || (await KeysAsync(store)).Except(before).Any(), "objects of the run",
            TimeSpan.FromMinutes(2));
        await _servers!.KillAsync();
        Assert.That(run.IsCompleted, Is.False, "it was not done yet");
        return run;
    }

    /// <summary>What is below the part, be it of the table or not yet.</summary>
    private static async Task<HashSet<string>> KeysAsync(IObjectStore store) =>
        [.. await store.ListAsync($"{BatchTable.OfJob(Job).Root}/part_day=").Select(info => info.Key).ToListAsync()];

    private static Task<JobRun> RunAsync(ServiceProvider process, int rows) => process.GetRequiredService<JobRunner>()
        .RunAsync(Job, Part, new Dictionary<string, JsonElement> { ["rows"] = JsonSerializer.SerializeToElement(rows) },
            "test", default);

    private static async Task<string> RowsAsync(ServiceProvider process)
    {
        await using var result = await process.GetRequiredService<IBatchEngine>()
            .QueryAsync(new BatchQuery("SELECT count(*) AS n, count(DISTINCT i) AS m FROM job_many_rows"));
        return (await ArrowText.RowsAsync(result)).Single();
    }

    private async Task<ServiceProvider> StartAsync(int attempts)
    {
        var settings = new Dictionary<string, string?>(_settings) { ["ColdPath:RunAttemptsMax"] = $"{attempts}" };
        _processes.Add(new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Sub("data")))
            .AddLogging()
            .AddS3Options()
            .AddS3ObjectStore()
            .AddBatchOptions()
            .AddSparkBatch()
            .AddSqliteStores()
            .AddValidatedOptions<NodeOptions>("Node")
            .AddMillraceColdPath()
            .BuildServiceProvider());
        foreach (var server in _processes[^1].GetServices<IAwaitedServer>())
            await server.AnswersAsync(CancellationToken.None);
        return _processes[^1];
    }
}
