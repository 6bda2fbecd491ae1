using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.Hosting;
using Millrace.ObjectStore;
using Millrace.TestKit;
using Millrace.TestKit.ObjectStores;

namespace Millrace.Contract.Tests.Batch;

/// <summary>DuckDB over an object store that has no local files.</summary>
[TestFixture]
public sealed class DuckDbRemoteTests : BatchEngineContract
{
    private const int Rows = 400_000;

    private TemporaryFolder? _folder;
    private ServiceProvider? _services;
    private RemoteObjectStore _remote = null!;

    private string Cache => Path.Combine(_folder!.Path, "tmp", "batch-cache");

    [TearDown]
    public async Task Remove()
    {
        if (_services is not null) await _services.DisposeAsync();
        _folder?.Dispose();
    }

    [Test]
    public async Task Footers_and_needed_columns_are_read_and_no_more()
    {
        var bytes = await WideTableAsync();

        Assert.That(await RowsAsync("SELECT count(*) AS n, CAST(sum(small) AS BIGINT) AS s FROM job_wide"),
            Is.EqualTo(new[] { $"{Rows}|{Enumerable.Range(0, Rows).Sum(i => (long)(i % 100))}" }));

        Assert.That(_remote.BytesRead, Is.LessThan(bytes / 10), $"of {bytes}");
        var read = _remote.BytesRead;
        Assert.That(await RowsAsync("SELECT max(small) AS m FROM job_wide WHERE small < 50"),
            Is.EqualTo(new[] { "49" }));
        Assert.That(_remote.BytesRead, Is.EqualTo(read), "it is there already");

        Assert.That(await RowsAsync("SELECT wide, id FROM job_wide ORDER BY id DESC LIMIT 1"), Has.Count.EqualTo(1));
        Assert.That(_remote.BytesRead, Is.GreaterThan(bytes * 9 / 10));
        Assert.That(_remote.Reads, Is.LessThan(30));
    }

    [TestCase("SELECT id FROM job_wide WHERE wide = (SELECT min(wide) FROM job_wide)")]
    [TestCase("SELECT count(*) AS n FROM job_wide WHERE wide > 'f' AND small = 3")]
    [TestCase("SELECT * FROM job_wide WHERE id = 7")]
    [TestCase("SELECT a.id FROM job_wide AS a JOIN job_wide AS b USING (wide) WHERE b.id BETWEEN 5 AND 9 ORDER BY 1")]
    [TestCase("SELECT small, count(*) AS n FROM job_wide GROUP BY ALL ORDER BY ALL LIMIT 3")]
    public async Task Whatever_a_statement_reads_is_there(string sql)
    {
        await WideTableAsync();
        var path = TestObjectStores.Files(_folder!.Path).LocalPath("jobs/wide/part-00000.parquet");
        var read = await RowsAsync(sql);

        OpenLocal();
        Assert.That(read, Is.EqualTo(await RowsAsync(sql.Replace("job_wide", $"read_parquet('{path}')"))));
    }

    [Test]
    public async Task What_nobody_needs_any_more_goes_when_there_is_too_much()
    {
        OpenWith(new() { ["Batch:CacheMax"] = "1MiB" });
        await WideTableAsync();

        await RowsAsync("SELECT max(wide) AS m FROM job_wide");

        Assert.That(Directory.EnumerateFiles(Cache, "*", SearchOption.AllDirectories), Is.Empty);
        Assert.That(await RowsAsync("SELECT max(small) AS m FROM job_wide"), Is.EqualTo(new[] { "99" }));
    }

    [Test]
    public async Task Footers_that_nobody_needs_any_more_go_when_there_are_too_many()
    {
        OpenWith(new() { ["Batch:FootersMax"] = "1" });
        await WideTableAsync();

        await RowsAsync("SELECT max(small) AS m FROM job_wide");

        Assert.That(Directory.EnumerateFiles(Cache, "*", SearchOption.AllDirectories), Is.Empty);
        Assert.That(await RowsAsync("SELECT max(small) AS m FROM job_wide"), Is.EqualTo(new[] { "99" }));
    }

    protected override ValueTask OpenAsync()
    {
        _folder = new TemporaryFolder();
        OpenWith([]);
        return ValueTask.CompletedTask;
    }

    /// <summary>A table of one file with a narrow column and a wide one; returns the file's size.</summary>
    private async Task<long> WideTableAsync()
    {
        var table = BatchTable.OfJob("wide");
        var written = await Engine.WriteParquetAsync(
            new BatchQuery($"""
                SELECT i AS id, CAST(i % 100 AS INTEGER) AS small,
                  md5(CAST(i AS VARCHAR)) || md5(CAST(-i AS VARCHAR)) AS wide
                FROM range({Rows}) AS r(i)
                """),
            new BatchOutput(table.Root));
        using var delta = new DeltaTable(Store, table.Root, TimeProvider.System);
        await delta.EnsureAsync(
            new DeltaSchema(
                [new("id", DeltaType.Long), new("small", DeltaType.Integer), new("wide", DeltaType.String)]),
            []);
        await delta.CommitAsync(new DeltaCommit
        {
            Id = "wide",
            Operation = "WRITE",
            Adds = [new AddFile(Path.GetFileName(written.Keys[0]), new Dictionary<string, string>(), written.Bytes, 0,
                true, null)],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
        return written.Bytes;
    }

    private void OpenWith(Dictionary<string, string?> settings)
    {
        _remote = new RemoteObjectStore(TestObjectStores.Files(_folder!.Path));
        Open(settings, _remote);
    }

    private void OpenLocal() => Open([], TestObjectStores.Files(_folder!.Path));

    private void Open(Dictionary<string, string?> settings, IObjectStore store)
    {
        _services?.Dispose();
        _services = new ServiceCollection()
            .AddSingleton<IConfiguration>(new ConfigurationBuilder().AddInMemoryCollection(settings).Build())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(new DataFolder(_folder!.Path))
            .AddSingleton(store)
            .AddBatchOptions()
            .AddDuckDbBatch()
            .BuildServiceProvider();
        Use(_services.GetRequiredService<IBatchEngine>(), store);
    }
}
