using Millrace.Batch;
using Millrace.Batch.Frames;
using static Millrace.Batch.Frames.Functions;

namespace Millrace.Contract.Tests.Batch;

/// <summary>Steps give the same rows as relations of Spark and as SQL on DuckDB.</summary>
[TestFixture]
public sealed class DataFrameTests
{
    private static readonly DataFrame Telemetry = DataFrame.Read("telemetry");
    private static readonly Window ByDevice = Window.Of("device_id").OrderBy("log_offset");

    private BothEngines? _both;

    [OneTimeSetUp]
    public async Task Open()
    {
        _both = await BothEngines.OpenAsync();
        await SampleArchive.WriteAsync(_both.Store);
    }

    [OneTimeTearDown]
    public async Task Close()
    {
        if (_both is not null) await _both.DisposeAsync();
    }

    [TestCaseSource(nameof(Frames))]
    public async Task Steps_give_the_same_rows(DataFrame frame, int rows)
    {
        var (duckDb, spark) = await _both!.RowsAsync(frame.ToQuery(), isOrdered: frame.ToSql().Contains(" LIMIT "));

        Assert.That(duckDb, Has.Count.EqualTo(rows + 1), frame.ToSql());
        Assert.That(spark, Is.EqualTo(duckDb));
    }

    [Test]
    public async Task What_steps_give_is_written_and_read_again()
    {
        var frame = Telemetry.GroupBy("device_id", "hour").Aggregate(Count().As("n"));
        foreach (var (name, engine) in new[] { ("duckdb", _both!.DuckDb), ("spark", _both.Spark) })
        {
            var written = await engine.WriteParquetAsync(frame.ToQuery(), new BatchOutput($"results/{name}", "hour"));

            Assert.That(written.Rows, Is.EqualTo(SampleArchive.Hours * SampleArchive.Devices), name);
            Assert.That(written.Keys.Select(key => key.Split('/')[2]).Distinct(),
                Is.EquivalentTo(Enumerable.Range(10, 4).Select(hour => $"hour={hour}")), name);
            Assert.That(await ReadAsync(written), Is.EquivalentTo(
                from device in Enumerable.Range(0, SampleArchive.Devices)
                from hour in Enumerable.Range(10, SampleArchive.Hours)
                select $"device-{device}|{hour}|{SampleArchive.RowsPerHour / SampleArchive.Devices}"), name);
        }
    }

    private async Task<List<string>> ReadAsync(BatchWritten written)
    {
        var files = string.Join(", ", written.Keys.Select(key => $"'{_both!.Store.LocalPath(key)}'"));
        await using var result = await _both!.DuckDb.QueryAsync(new BatchQuery(
            $"SELECT device_id, hour, n FROM read_parquet([{files}], hive_partitioning = true)"));
        return await ArrowText.RowsAsync(result);
    }

    private static IEnumerable<TestCaseData> Frames()
    {
        var day = SampleArchive.Start;
        yield return Case("select and filter", Telemetry
            .Filter(Column.Of("hour").EqualTo(11) & (Column.Of("enqueued_at") >= day)).Select(
                "device_id", (Column.Of("temperature") * 2 + 1).As("t"),
                Column.Of("properties").Item("n").As("n")), 50);
        yield return Case("values", Telemetry.Filter(Column.Of("log_offset") < 20).Select(
            Column.Value("it's \\ so").As("a"), Column.Value(1.5).As("b"), Column.Value(7L).As("c"),
            Column.Value(true).As("d"), Column.Value(day).As("e"), Column.Value(new DateOnly(2026, 11, 22)).As("f"),
            Column.Value(null).Cast(ColumnType.String).As("g")), 20);
        yield return Case("functions", Telemetry.Select(
            Coalesce("module_id", Column.Value("-")).As("a"), When(Column.Of("temperature") > 100, 1, 0).As("b"),
            Abs(Column.Of("temperature") - 50).As("c"), Floor(Column.Of("temperature") / 7).As("d"),
            DateTrunc("hour", "event_at").As("e"), UnixMicros("event_at").As("f"),
            TimestampMicros(UnixMicros("event_at")).As("g"), Upper("device_id").As("h"), Length("device_id").As("i"),
            OctetLength("body").As("j"), NullIf("device_id", Column.Value("device-1")).As("k"),
            Greatest("temperature", 10.0).As("l"), Least("temperature", 10.0).As("m"), Sqrt("temperature").As("n"),
            JsonText("body_text", "$.temperature").TryCast(ColumnType.Double).As("o")), 200);
        yield return Case("conditions", Telemetry.Filter(
            Column.Of("device_id").In(Column.Value("device-1"), Column.Value("device-2"))
            & Column.Of("module_id").IsNull() & !(Column.Of("hour").EqualTo(10) | Column.Of("hour").EqualTo(11))
            & Column.Of("content_type").NotEqualTo(Column.Value("x/y")))
            .Select("log_offset"), 20);
        yield return Case("with column", Telemetry.Filter(Column.Of("log_offset") < 30)
            .Select("device_id", "temperature").WithColumn("f", Column.Of("temperature") * 1.8 + 32)
            .WithColumn("temperature", Column.Of("temperature") + 1000), 30);
        yield return Case("with column in the place of one of another case", Telemetry
            .Filter(Column.Of("log_offset") < 30).Select("device_id", "temperature", "hour")
            .WithColumn("Temperature", Column.Of("temperature") + 1000), 30);
        yield return Case("with column in the place of the only one", Telemetry
            .Filter(Column.Of("log_offset") < 30).Select("temperature")
            .WithColumn("TEMPERATURE", Column.Of("temperature") + 1000), 30);
        yield return Case("groups", Telemetry.GroupBy("device_id", DateTrunc("hour", "enqueued_at").As("at"))
            .Aggregate(Count().As("n"), Count("module_id").As("m"), Average("temperature").As("mean"),
                Min("temperature").As("least"), Max("temperature").As("most"), SumOfLongs("log_offset").As("sum"),
                Sum("temperature").As("sumd"), Percentile("temperature", 0.95).As("p95"),
                StandardDeviation("temperature").As("sd"), CountDistinct("log_partition").As("parts"),
                MaxBy("log_offset", "temperature").As("hot"), MinBy("log_offset", "temperature").As("cold")), 20);
        yield return Case("one group", Telemetry.GroupBy().Aggregate(Count().As("n")), 1);
        yield return Case("windows", Telemetry.Select("log_offset", RowNumber().Over(ByDevice).As("i"),
            Lag("temperature").Over(ByDevice).As("before"), Lead("temperature", 2).Over(ByDevice).As("after"),
            Average("temperature").Over(ByDevice.Rows(-2, 0)).As("smooth"),
            Max("temperature").Over(Window.Of("device_id").Rows(null, null)).As("top"),
            Rank().Over(Window.Of().OrderBy("hour")).As("rank")), 200);
        yield return Case("order and limit",
            Telemetry.OrderBy(Column.Of("temperature").Descending(), "log_offset").Limit(7)
                .Select("log_offset", "temperature"), 7);
        var perHour = Telemetry.GroupBy("device_id", "hour").Aggregate(Average("temperature").As("mean"));
        var few = perHour.Filter(Column.Of("hour") > 11).Select("device_id", "hour", Column.Of("mean").As("later"));
        yield return Case("inner join", perHour.Join(few, JoinKind.Inner, "device_id", "hour")
            .Select("device_id", "hour", "mean", "later"), 10);
        yield return Case("left join", perHour.Join(few, JoinKind.Left, "device_id", "hour")
            .Select("device_id", "hour", "mean", "later"), 20);
        yield return Case("full join", few.Join(perHour, JoinKind.Full, "device_id", "hour")
            .Select("device_id", "hour", "mean", "later"), 20);
        yield return Case("semi join", perHour.Join(few, JoinKind.Semi, "device_id", "hour"), 10);
        yield return Case("anti join", perHour.Join(few, JoinKind.Anti, "device_id", "hour"), 10);
        yield return Case("unpivot", Telemetry.Filter(Column.Of("hour").EqualTo(10)).Select("device_id", "log_offset",
            Column.Of("temperature").As("a"),
            When(Column.Of("log_offset") < 10, "temperature", Column.Value(null)).As("b"))
            .Unpivot(["device_id", "log_offset"], ["a", "b"], "measure", "value"), 60);
        yield return Case("slope", Telemetry.GroupBy("device_id").Aggregate(
            Slope("temperature", Column.Of("log_offset").Cast(ColumnType.Double)).As("slope")), 5);
        yield return Case("union", Telemetry.Filter(Column.Of("hour").EqualTo(10)).Select("device_id", "hour")
            .UnionAll(Telemetry.Filter(Column.Of("hour").EqualTo(12)).Select("device_id", "hour")), 100);
    }

    private static TestCaseData Case(string name, DataFrame frame, int rows) =>
        new TestCaseData(frame, rows).SetName($"Steps_give_the_same_rows: {name}");
}
