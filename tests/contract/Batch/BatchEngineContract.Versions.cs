using Millrace.Batch;
using Millrace.Delta;
using Millrace.Delta.Log;
using Millrace.Delta.Schema;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Contract.Tests.Batch;

public abstract partial class BatchEngineContract
{
    private const string Rows = "SELECT count(*) AS n FROM telemetry";
    private const string Later = "SELECT count(*) AS n FROM telemetry WHERE hour >= 11";
    private const string AllColumns = "SELECT count(pressure) AS n FROM telemetry";

    [Test]
    public async Task An_older_version_is_read_by_its_number_or_its_time()
    {
        var (table, before) = await RemoveFirstHourAsync();
        using var _ = table;

        Assert.That(await RowsAsync(Rows), Is.EqualTo(new[] { "150" }));
        foreach (var asOf in new[] { new BatchAsOf(Version: 1), new BatchAsOf(At: before) })
        {
            Assert.That(await RowsAsync(Rows, asOf), Is.EqualTo(new[] { "200" }), $"{asOf}");
            Assert.That(async () => await RowsAsync(AllColumns, asOf), RefusedAs("BA-0001"), "came later");
        }

        Assert.That(await RowsAsync(AllColumns), Is.EqualTo(new[] { "0" }));
        Assert.That(await RowsAsync(Rows, new BatchAsOf(Version: 0)), Is.EqualTo(new[] { "0" }));
        Assert.That(await RowsAsync($"{Later} AND device_id IN (SELECT device_id FROM telemetry WHERE hour = 10)",
            new BatchAsOf(At: before)), Is.EqualTo(new[] { "150" }));
    }

    [Test]
    public async Task A_version_that_cannot_be_read_is_told()
    {
        var (table, before) = await RemoveFirstHourAsync();
        using var _ = table;

        Assert.That(async () => await RowsAsync(Rows, new BatchAsOf(Version: 9)), RefusedAs("DL-0006", "telemetry 9"));
        Assert.That(async () => await RowsAsync(Rows, new BatchAsOf(At: before.AddDays(-1))), RefusedAs("DL-0006"));
        Assert.That(async () => await RowsAsync("SELECT 1 AS a", new BatchAsOf(Version: 1)), RefusedAs("BA-0012", "1"));

        var old = await table.AtVersionAsync(1);
        await Store.DeleteAsync(table.KeyOf(old.Files.Values.First(file => file.PartitionValues["hour"] == "10")));
        Assert.That(async () => await RowsAsync(Rows, new BatchAsOf(Version: 1)), RefusedAs("DL-0007", "telemetry 1"));
        Assert.That(await RowsAsync(Later, new BatchAsOf(Version: 1)), Is.EqualTo(new[] { "150" }),
            "what the statement needs is there");

        var time = new ShiftedTime();
        time.Move(TimeSpan.FromDays(60));
        using var later = new DeltaTable(
            Store, TelemetryTable.Root, time, new DeltaTableOptions { CheckpointInterval = 1 });
        await later.TidyLogAsync(3);
        Assert.That(async () => await RowsAsync(Later, new BatchAsOf(Version: 1)), RefusedAs("DL-0006", "telemetry 1"));
        Assert.That(await RowsAsync(Rows, new BatchAsOf(Version: 3)), Is.EqualTo(new[] { "150" }));
    }

    /// <summary>
    /// Version 1 has all hours of the sample, 2 lacks the first, 3 has a column more; and a time of version 1.
    /// </summary>
    private async Task<(DeltaTable Table, DateTimeOffset Before)> RemoveFirstHourAsync()
    {
        await SampleArchive.WriteAsync(Store);
        var before = await LaterThanAllAsync();
        var table = new DeltaTable(Store, TelemetryTable.Root, TimeProvider.System);
        var files = (await table.RefreshAsync())!.Files.Values;
        await table.CommitAsync(new DeltaCommit
        {
            Id = "remove",
            Operation = "DELETE",
            Removes = [.. files.Where(file => file.PartitionValues["hour"] == "10")
                .Select(file => new RemoveFile(file.Path, 0, DataChange: true))],
            FilesWrittenAt = TimeProvider.System.GetUtcNow(),
        });
        await table.EnsureAsync(new DeltaSchema([new("pressure", DeltaType.Double)]), TelemetryTable.PartitionColumns);
        return (table, before);
    }

    /// <summary>A time of the store's clock that all objects are older than, and whatever follows is not.</summary>
    private async Task<DateTimeOffset> LaterThanAllAsync()
    {
        var last = DateTimeOffset.MinValue;
        await foreach (var found in Store.ListAsync("")) last = found.ModifiedAt > last ? found.ModifiedAt : last;
        while (true)
        {
            await Store.PutAsync("clock", new byte[] { 1 });
            if ((await Store.FindAsync("clock"))!.ModifiedAt > last) return last;
        }
    }

    private async Task<List<string>> RowsAsync(string sql, BatchAsOf asOf)
    {
        await using var result = await Engine.QueryAsync(new BatchQuery(sql) { AsOf = asOf });
        return await ArrowText.RowsAsync(result);
    }

    private static NUnit.Framework.Constraints.Constraint RefusedAs(string code, string value) =>
        Throws.InstanceOf<MillraceException>().With.Message.StartsWith(code).And.Message.Contains($"[{value}]");
}
