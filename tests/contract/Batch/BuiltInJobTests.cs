using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Delta;

namespace Millrace.Contract.Tests.Batch;

/// <summary>The same jobs give the same results on both engines, over files and over S3.</summary>
[TestFixture(false)]
[TestFixture(true)]
public sealed class BuiltInJobTests(bool isS3)
{
    private BothEngines? _both;

    [OneTimeSetUp]
    public async Task Open_both()
    {
        _both = await BothEngines.OpenAsync(isS3);
        await DirtyArchive.WriteAsync(_both.Store);
    }

    [OneTimeTearDown]
    public async Task Close()
    {
        if (_both is not null) await _both.DisposeAsync();
    }

    [TestCaseSource(nameof(Jobs))]
    public async Task A_job_gives_the_same_rows(string job)
    {
        var query = await BuiltInJobs.PrepareAsync(job, _both!.DuckDb);

        var (duckDb, spark) = await _both.RowsAsync(query, isOrdered: true);

        Assert.That(duckDb, Has.Count.GreaterThan(1));
        Assert.That(spark, Is.EqualTo(duckDb));
    }

    [TestCaseSource(nameof(Jobs))]
    public async Task What_one_engine_keeps_the_other_replaces_and_reads(string job)
    {
        var table = $"job_{job.Replace('-', '_')}";
        var part = TimePart.Of(JobPart.Day, DirtyArchive.Day);
        var kept = new List<List<string>>();
        foreach (var (maker, reader) in new[] { (_both!.DuckDb, _both.Spark), (_both.Spark, _both.DuckDb) })
        {
            var query = await BuiltInJobs.PrepareAsync(job, maker);
            var delta = Options.Create(new DeltaTableOptions());
            var written = await new ResultTable(_both.Store, maker, delta, TimeProvider.System)
                .ReplaceAsync(job, part, query, CancellationToken.None);
            await using var result = await reader.QueryAsync(new BatchQuery($"SELECT * FROM {table}"));
            kept.Add(await ArrowText.RowsAsync(result));
            Assert.That(kept[^1], Has.Count.EqualTo(written.Rows));
        }

        Assert.That(kept[0].Order(StringComparer.Ordinal), Is.EqualTo(kept[1].Order(StringComparer.Ordinal)));
        Assert.That(kept[0], Is.All.EndsWith("|2026-11-22"));
    }

    private static IEnumerable<string> Jobs() => BuiltInJobs.Catalog.Jobs.Select(job => job.Name);
}
