using Microsoft.Extensions.Options;
using Millrace.Batch;
using Millrace.Batch.Tables;
using Millrace.ColdPath.Catalog;
using Millrace.ColdPath.Runs;
using Millrace.Delta;

namespace Millrace.Contract.Tests.Batch;

/// <summary>
/// Two runners of one job over S3, as when one was silent for longer than its lease and goes on beside the other.
/// </summary>
[TestFixture]
[Category("Faults")]
public sealed class TwoRunnersTests
{
    private const string Job = "twice";

    [Test]
    public async Task Of_two_that_make_one_part_at_once_readers_see_the_rows_of_one()
    {
        var options = Options.Create(new DeltaTableOptions());
        await using var both = await BothEngines.OpenAsync(isS3: true);
        await SampleArchive.WriteAsync(both.Store);
        var part = TimePart.Of(JobPart.Day, SampleArchive.Start);
        await MakeAsync(both.DuckDb, "DuckDB");
        var rows = (await ReadAsync()).Split('|')[2];

        using var stop = new CancellationTokenSource();
        var reading = Task.Run(async () =>
        {
            var seen = new HashSet<string>();
            while (!stop.IsCancellationRequested) seen.Add(await ReadAsync());
            return seen;
        });
        for (var round = 0; round < 6; round++)
            await Task.WhenAll(MakeAsync(both.DuckDb, "DuckDB"), MakeAsync(both.Spark, "Spark"));
        await stop.CancelAsync();

        Assert.That(await reading, Is.SubsetOf(new[] { $"DuckDB|DuckDB|{rows}", $"Spark|Spark|{rows}" }));
        using var delta = new DeltaTable(both.Store, BatchTable.OfJob(Job).Root, TimeProvider.System);
        Assert.That((await delta.RefreshAsync())!.PositionOf($"part/{part.Name}"), Is.EqualTo(13), "each replaced it");

        Task MakeAsync(IBatchEngine engine, string name) => new ResultTable(
            both.Store, engine, options, TimeProvider.System)
            .ReplaceAsync(Job, part, new BatchQuery(
                $"SELECT '{name}' AS runner, device_id, count(*) AS n FROM telemetry GROUP BY device_id"), default);

        async Task<string> ReadAsync()
        {
            await using var result = await both.DuckDb.QueryAsync(new BatchQuery(
                $"SELECT min(runner) AS a, max(runner) AS b, count(*) AS n FROM job_{Job}"));
            return (await ArrowText.RowsAsync(result)).Single();
        }
    }
}
