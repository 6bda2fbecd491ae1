using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

[TestFixture]
public sealed class SparkEngineTests : BatchEngineContract
{
    private TemporaryFolder? _folder;
    private ServiceProvider? _services;

    [TearDown]
    public async Task Remove()
    {
        if (_services is not null) await _services.DisposeAsync();
        _folder?.Dispose();
    }

    [TestCase("SELECT * FROM text.\"/etc/passwd\"")]
    [TestCase("SELECT * FROM binaryFile.\"/etc\"")]
    [TestCase("SELECT java_method('java.lang.System', 'getProperty', 'user.home')")]
    [TestCase("SELECT reflect('java.lang.System', 'getenv', 'PATH')")]
    public void Nothing_of_the_server_can_be_read(string sql) =>
        Assert.That(async () => await RowsAsync(sql), RefusedAs("BA-0001"));

    [TestCase("SELECT 1) AS a; DROP VIEW telemetry --")]
    [TestCase("SELECT 1) UNION (SELECT 2")]
    [TestCase("SELECT '\\'; DROP VIEW x --'")]
    public async Task What_closes_our_brackets_runs_nothing(string sql)
    {
        try
        {
            await RowsAsync(sql);
        }
        catch (Primitives.MillraceException e)
        {
            Assert.That(e.Error.Code, Is.AnyOf("BA-0001", "BA-0003"));
        }

        Assert.That(await RowsAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo(new[] { "0" }));
    }

    [Test]
    public async Task A_statement_that_takes_too_long_is_ended()
    {
        await OpenWithAsync(new() { ["Batch:QueryTimeout"] = "00:00:02" });

        Assert.That(async () => await RowsAsync(Endless), RefusedAs("BA-0002"));
    }

    [Test]
    public async Task So_many_files_are_read_and_no_more()
    {
        await SampleArchive.WriteAsync(Store);
        await OpenWithAsync(new() { ["Spark:FilesMax"] = "2" });

        Assert.That(async () => await RowsAsync("SELECT * FROM telemetry"), RefusedAs("BA-0010"));
        Assert.That(await RowsAsync("SELECT count(*) AS n FROM telemetry WHERE hour BETWEEN 10 AND 11"),
            Is.EqualTo(new[] { "100" }));
    }

    [Test]
    public void A_server_that_is_not_there_is_told()
    {
        Assert.That(async () =>
        {
            await OpenWithAsync(new()
            {
                ["Spark:Remote"] = "sc://127.0.0.1:1",
                ["Spark:ReattachAttemptsMax"] = "2",
                ["Spark:ReattachDelay"] = "00:00:00.010",
            });
            await RowsAsync("SELECT 1 AS a");
        }, RefusedAs("BA-0005"));
    }

    [Test]
    public async Task A_server_behind_tls_is_reached_with_its_authority_and_the_token()
    {
        await using var secure = await SecureSpark.StartAsync((await SparkNode.ServersAsync()).Remote);
        await File.WriteAllTextAsync(_folder!.Sub("token"), SecureSpark.Token + "\n");
        Dictionary<string, string?> Settings(string? tokenFile, string? caFile) => new()
        {
            ["Spark:Remote"] = $"sc://{secure.Address}/;use_ssl=true",
            ["Spark:TokenFile"] = tokenFile,
            ["Spark:CaFile"] = caFile,
            ["Spark:ReattachAttemptsMax"] = "1",
            ["Spark:ReattachDelay"] = "00:00:00.010",
        };

        await OpenWithAsync(Settings(_folder.Sub("token"), secure.CaFile));
        await SampleArchive.WriteAsync(Store);
        Assert.That(await RowsAsync("SELECT device_id FROM telemetry WHERE log_offset = 7"),
            Is.EqualTo(new[] { "device-2" }));
        Assert.That(async () => await RowsAsync("SELECT nothing FROM telemetry"), RefusedAs("BA-0001"),
            "the server's own errors come through");

        await OpenWithAsync(Settings(tokenFile: null, secure.CaFile));
        Assert.That(async () => await RowsAsync("SELECT 1 AS a"), RefusedAs("BA-0008"));
        await OpenWithAsync(Settings(_folder.Sub("token"), caFile: null));
        Assert.That(async () => await RowsAsync("SELECT 1 AS a"), RefusedAs("BA-0005"), "an unknown authority");
    }

    [Test]
    public async Task Progress_is_told_of_a_statement_that_takes_a_while()
    {
        var last = new BatchProgress();
        var progress = new Sink(value => last = value);

        // The server tells of what takes some seconds; how much that is, the machine decides.
        for (var rows = 400_000_000L; last.Total == 0 && rows < 100_000_000_000; rows *= 4)
        {
            await using var result = await Engine.QueryAsync(
                new BatchQuery($"SELECT max(hash(id)) AS h FROM range({rows}) AS r(id)") { Progress = progress });
            _ = await ArrowText.RowsAsync(result);
        }

        Assert.That(last.Total, Is.Positive);
        Assert.That(last.Done, Is.InRange(0, last.Total));
    }

    protected override async ValueTask OpenAsync()
    {
        await SparkNode.ServersAsync();
        _folder = new TemporaryFolder();
        await OpenWithAsync([]);
    }

    private async Task OpenWithAsync(Dictionary<string, string?> settings)
    {
        if (_services is not null) await _services.DisposeAsync();
        settings.TryAdd("Batch:Kind", "Spark");
        settings.TryAdd("Spark:Remote", (await SparkNode.ServersAsync()).Remote);
        _services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder!.Path))
            .AddFileObjectStore()
            .AddBatchOptions()
            .AddSparkBatch()
            .BuildServiceProvider();
        Use(_services.GetRequiredService<IBatchEngine>(), _services.GetRequiredService<IObjectStore>());
    }

    private sealed class Sink(Action<BatchProgress> take) : IProgress<BatchProgress>
    {
        public void Report(BatchProgress value) => take(value);
    }
}
