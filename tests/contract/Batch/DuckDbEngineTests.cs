using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

[TestFixture]
public sealed class DuckDbEngineTests : BatchEngineContract
{
    private TemporaryFolder? _folder;
    private ServiceProvider? _services;

    [TearDown]
    public async Task Remove()
    {
        if (_services is not null) await _services.DisposeAsync();
        _folder?.Dispose();
    }

    [Test]
    public async Task Files_of_the_archive_can_be_read_by_name()
    {
        await SampleArchive.WriteAsync(Store);
        await Engine.WriteParquetAsync(new BatchQuery("SELECT 42 AS answer"), new BatchOutput("results/kept"));

        var path = Store.LocalPath("results/kept/part-00000.parquet");
        Assert.That(await RowsAsync($"SELECT answer FROM read_parquet('{path}')"), Is.EqualTo(new[] { "42" }));
    }

    [Test]
    public void Secrets_beside_the_archive_cannot_be_read()
    {
        var token = _folder!.Sub("admin.token");
        File.WriteAllText(token, "secret");
        var above = Path.Combine(Store.LocalPath("telemetry")!, "..", "..", "admin.token");

        Assert.That(async () => await RowsAsync($"SELECT * FROM read_text('{token}')"), RefusedAs("BA-0001"));
        Assert.That(async () => await RowsAsync($"SELECT * FROM read_text('{above}')"), RefusedAs("BA-0001"));
    }

    [Test]
    public void A_statement_that_takes_too_long_is_ended()
    {
        OpenWith(new() { ["Batch:QueryTimeout"] = "00:00:00.300" });

        Assert.That(async () => await RowsAsync(Endless), RefusedAs("BA-0002"));
    }

    [Test]
    public async Task A_statement_that_needs_too_much_memory_fails_alone()
    {
        OpenWith(new() { ["Batch:MemoryMax"] = "16MiB", ["Batch:SpillMax"] = "1MiB" });

        Assert.That(
            async () => await RowsAsync("SELECT i, random() AS r FROM range(20000000) AS t(i) ORDER BY r"),
            RefusedAs("BA-0001"));
        Assert.That(await RowsAsync("SELECT 1 AS a"), Is.EqualTo(new[] { "1" }));
    }

    [Test]
    public async Task Nothing_stays_behind_in_the_temporary_folder()
    {
        await RowsAsync("SELECT 1 AS a");
        await Engine.WriteParquetAsync(new BatchQuery("SELECT 1 AS a"), new BatchOutput("results/x"));
        Assert.That(async () => await RowsAsync("SELECT nothing"), RefusedAs("BA-0001"));

        Assert.That(Directory.EnumerateFileSystemEntries(Path.Combine(_folder!.Path, "tmp", "batch")), Is.Empty);
    }

    protected override ValueTask OpenAsync()
    {
        _folder = new TemporaryFolder();
        OpenWith([]);
        return ValueTask.CompletedTask;
    }

    private void OpenWith(Dictionary<string, string?> settings)
    {
        _services?.Dispose();
        _services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder!.Path))
            .AddFileObjectStore()
            .AddBatchOptions()
            .AddDuckDbBatch()
            .BuildServiceProvider();
        Use(_services.GetRequiredService<IBatchEngine>(), _services.GetRequiredService<IObjectStore>());
    }
}
