using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Delta;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.Primitives;
using Millrace.TestKit;
using Millrace.TestKit.Servers;

namespace Millrace.Contract.Tests.Batch;

/// <summary>A Spark server that dies, and comes back.</summary>
[TestFixture]
[Category("Faults")]
public sealed class SparkFaultTests
{
    private SparkServers? _servers;
    private TemporaryFolder _folder = null!;
    private ServiceProvider _services = null!;

    private IBatchEngine Engine => _services.GetRequiredService<IBatchEngine>();

    private IObjectStore Store => _services.GetRequiredService<IObjectStore>();

    [SetUp]
    public async Task Open()
    {
        (_servers, var reason) = await SparkServers.FindAsync(alone: true);
        if (_servers is null) Assert.Ignore(reason);
        _folder = new TemporaryFolder();
        var settings = new Dictionary<string, string?>
        {
            ["Batch:Kind"] = "Spark",
            ["Spark:Remote"] = _servers!.Remote,
            ["Spark:ReattachAttemptsMax"] = "3",
        };
        _services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder.Path))
            .AddFileObjectStore()
            .AddBatchOptions()
            .AddSparkBatch()
            .BuildServiceProvider();
        await SampleArchive.WriteAsync(Store);
    }

    [TearDown]
    public async Task Close()
    {
        if (_services is not null) await _services.DisposeAsync();
        if (_servers is not null) await _servers.DisposeAsync();
        _folder?.Dispose();
    }

    [Test]
    public async Task A_job_whose_server_is_killed_leaves_the_part_as_it_was_and_is_made_again()
    {
        var table = new ResultTable(Store, Engine, Options.Create(new DeltaTableOptions()), TimeProvider.System);
        var part = TimePart.Of(JobPart.Day, SampleArchive.Start);
        var job = new BatchQuery("SELECT device_id, count(*) AS n FROM telemetry GROUP BY device_id");
        await table.ReplaceAsync("killed", part, job, default);

        var endless = new BatchQuery(
            "SELECT device_id, n FROM (SELECT device_id, count(*) AS n FROM telemetry GROUP BY device_id) CROSS "
            + "JOIN (SELECT max(i * j) AS m FROM range(10000000000) AS a(i), range(1000) AS b(j)) WHERE m > 0");
        var running = Task.Run(() => table.ReplaceAsync("killed", part, endless, default));
        await Task.WhenAny(running, Task.Delay(TimeSpan.FromSeconds(3), TimeProvider.System));
        Assert.That(running.IsCompleted, Is.False);
        await _servers!.KillAsync();
        Assert.That(async () => await running, Throws.InstanceOf<MillraceException>()
            .With.Property("Error").Property("Code").EqualTo("BA-0005"));

        await _servers.StartAsync();
        Assert.That(await CountAsync("SELECT CAST(sum(n) AS BIGINT) AS n FROM job_killed"), Is.EqualTo("200"));
        await table.ReplaceAsync("killed", part, job, default);
        Assert.That(await CountAsync("SELECT CAST(sum(n) AS BIGINT) AS n FROM job_killed"), Is.EqualTo("200"));
    }

    [Test]
    public async Task A_statement_after_a_restart_gets_a_new_session_by_itself()
    {
        Assert.That(await CountAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo("200"));
        await _servers!.KillAsync();
        await _servers.StartAsync();

        Assert.That(await CountAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo("200"));
    }

    [Test]
    public async Task Of_many_sessions_that_a_restart_lost_none_is_tried_twice()
    {
        var open = new List<IBatchResult>();
        for (var i = 0; i < 2; i++)
            open.Add(await Engine.QueryAsync(new BatchQuery("SELECT count(*) AS n FROM telemetry")));
        foreach (var result in open) await result.DisposeAsync();
        await _servers!.KillAsync();
        await _servers.StartAsync();

        Assert.That(await CountAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo("200"));
    }

    private async Task<string> CountAsync(string sql)
    {
        await using var result = await Engine.QueryAsync(new BatchQuery(sql));
        return (await ArrowText.RowsAsync(result)).Single();
    }
}
