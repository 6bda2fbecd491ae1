using Apache.Arrow;
using Millrace.Batch;
using Millrace.ObjectStore;
using Millrace.Primitives;

namespace Millrace.Contract.Tests.Batch;

/// <summary>What every batch engine does. An adapter derives from it and says how it is opened.</summary>
public abstract partial class BatchEngineContract
{
    protected IBatchEngine Engine { get; private set; } = null!;

    protected IObjectStore Store { get; private set; } = null!;

    /// <summary>Opens the adapter over an empty archive, and says so by <see cref="Use"/>.</summary>
    protected abstract ValueTask OpenAsync();

    [SetUp]
    public async Task Open() => await OpenAsync();

    [Test]
    public async Task Before_anything_is_archived_the_view_is_empty_and_has_its_columns()
    {
        await using var result = await Engine.QueryAsync(new BatchQuery("SELECT * FROM telemetry"));

        Assert.That(result.Schema.FieldsList.Select(field => field.Name), Is.EqualTo(new[]
        {
            "device_id", "module_id", "enqueued_at", "event_at", "log_partition", "log_offset", "content_type",
            "content_encoding", "message_id", "properties", "body", "date", "hour", "body_text",
        }));
        Assert.That(await CountAsync(result), Is.Zero);
    }

    [Test]
    public async Task The_view_shows_what_is_archived_from_the_next_statement_on()
    {
        Assert.That(await RowsAsync("SELECT count(*) AS n FROM telemetry"), Is.EqualTo(new[] { "0" }));

        await SampleArchive.WriteAsync(Store);

        Assert.That(await RowsAsync("SELECT count(*) AS n FROM telemetry"),
            Is.EqualTo(new[] { $"{SampleArchive.Hours * SampleArchive.RowsPerHour}" }));
    }

    [Test]
    public async Task Promoted_columns_partitions_and_properties_are_there()
    {
        await SampleArchive.WriteAsync(Store);

        Assert.That(
            await RowsAsync("SELECT device_id, temperature, properties['n'] AS n, date, hour, log_offset "
                + "FROM telemetry WHERE log_offset IN (0, 199) ORDER BY log_offset"),
            Is.EqualTo(new[] { "device-0|0|0|2026-11-22|10|0", "device-4|199|199|2026-11-22|13|199" }));
    }

    [Test]
    public async Task An_archived_output_is_a_table_of_its_name_whatever_its_case()
    {
        await SampleArchive.WriteAsync(Store);
        await SampleArchive.WriteOutputAsync(Store, "Hot-Devices");
        await SampleArchive.WriteOutputAsync(Store, "Order");

        Assert.That(
            await RowsAsync("SELECT row_id, query, version, device_id, hour, get_json_object(body, '$.n') AS n "
                + "FROM \"hot-devices\" ORDER BY n"),
            Is.EqualTo(new[] { "one|q|3|device-1|10|1", "out.Hot-Devices/0/1|null|null|null|11|2" }));
        Assert.That(
            await RowsAsync("WITH part AS (SELECT device_id FROM \"ORDER\" WHERE device_id = 'device-1') "
                + "SELECT count(*) AS n FROM telemetry JOIN part ON telemetry.device_id = part.device_id "
                + "JOIN \"Hot-Devices\" AS h ON h.device_id = part.device_id"),
            Is.EqualTo(new[] { $"{SampleArchive.Hours * SampleArchive.RowsPerHour / SampleArchive.Devices}" }));
    }

    [Test]
    public async Task Body_text_is_there_for_text_and_null_for_the_rest()
    {
        await SampleArchive.WriteAsync(Store);

        Assert.That(
            await RowsAsync("SELECT content_type IS NULL AS none, body_text IS NULL AS no_text, count(*) AS n "
                + "FROM telemetry GROUP BY ALL ORDER BY ALL"),
            Is.EqualTo(new[] { "false|false|100", "false|true|20", "true|false|80" }));
    }

    [Test]
    public async Task Parameters_of_every_type_are_taken_by_name()
    {
        var parameters = new Dictionary<string, object?>
        {
            ["text"] = "it's",
            ["whole"] = long.MaxValue,
            ["number"] = 1.5,
            ["flag"] = true,
            ["time"] = new DateTimeOffset(2026, 11, 22, 12, 0, 0, TimeSpan.FromHours(2)),
            ["none"] = null,
        };

        Assert.That(
            await RowsAsync("SELECT $text AS a, $whole AS b, $number AS c, $flag AS d, $time AS e, $none IS NULL AS f",
                parameters),
            Is.EqualTo(new[] { "it's|9223372036854775807|1.5|true|2026-11-22 10:00:00|true" }));
    }

    [Test]
    public async Task Times_are_compared_as_moments()
    {
        await SampleArchive.WriteAsync(Store);
        var parameters = new Dictionary<string, object?>
        {
            ["from"] = SampleArchive.Start.AddHours(1),
            ["to"] = SampleArchive.Start.AddHours(2).ToOffset(TimeSpan.FromHours(5)),
        };

        Assert.That(
            await RowsAsync(
                "SELECT count(*) AS n FROM telemetry WHERE enqueued_at >= $from AND enqueued_at < $to", parameters),
            Is.EqualTo(new[] { $"{SampleArchive.RowsPerHour}" }));
    }

    [TestCase("enqueued_at >= $from", "2026-11-22T11:00:00Z")]
    [TestCase("enqueued_at >= $from::TIMESTAMPTZ", "2026-11-22 11:00:00")]
    [TestCase("date = $from AND hour >= 11", "2026-11-22")]
    public async Task Times_may_be_text(string condition, string from)
    {
        await SampleArchive.WriteAsync(Store);

        Assert.That(
            await RowsAsync($"SELECT count(*) AS n FROM telemetry WHERE {condition}",
                new Dictionary<string, object?> { ["from"] = from }),
            Is.EqualTo(new[] { $"{3 * SampleArchive.RowsPerHour}" }));
    }

    [Test]
    public async Task A_result_is_cut_after_so_many_rows()
    {
        await SampleArchive.WriteAsync(Store);

        await using var result = await Engine.QueryAsync(new BatchQuery("SELECT * FROM telemetry", RowsMax: 7));

        Assert.That(await CountAsync(result), Is.EqualTo(7));
    }

    [TestCase(Endless)]
    [TestCase("SELECT max(i * j) AS i FROM range(10000000000) AS a(i), range(1000) AS b(j); -- no end")]
    public async Task The_columns_of_a_statement_are_known_without_its_rows(string sql)
    {
        await using var result = await Engine.QueryAsync(new BatchQuery(sql) { IsSchemaOnly = true });

        Assert.That(result.Schema.FieldsList.Select(field => field.Name), Is.EqualTo(new[] { "i" }));
        Assert.That(await CountAsync(result), Is.Zero);
    }

    [Test]
    public async Task A_large_result_streams_in_batches()
    {
        await using var result = await Engine.QueryAsync(new BatchQuery("SELECT * FROM range(300000) AS r(i)"));

        var batches = 0;
        var sum = 0L;
        await foreach (var batch in result.Batches)
        {
            batches++;
            sum += ((Int64Array)batch.Column(0)).Values.ToArray().Sum();
        }

        Assert.That(batches, Is.GreaterThan(1));
        Assert.That(sum, Is.EqualTo(299_999L * 300_000 / 2));
    }

    [TestCase("SELEC 1")]
    [TestCase("SELECT no_such_column FROM telemetry")]
    [TestCase("SELECT * FROM no_such_table")]
    [TestCase("SELECT $missing")]
    [TestCase("SELECT 'x'::INTEGER")]
    public void What_the_engine_refuses_is_told_with_its_message(string sql) =>
        Assert.That(async () => await RowsAsync(sql), RefusedAs("BA-0001"));

    [TestCase("")]
    [TestCase("SELECT 1; SELECT 2")]
    [TestCase("CREATE TABLE t(a INTEGER)")]
    [TestCase("COPY (SELECT 1) TO 'out.csv'")]
    [TestCase("ATTACH 'other.db'")]
    [TestCase("SET threads = 8")]
    [TestCase("DROP VIEW telemetry")]
    [TestCase("INSTALL httpfs")]
    [TestCase("CALL enable_logging()")]
    public void Only_one_select_is_taken(string sql)
    {
        Assert.That(async () => await RowsAsync(sql), RefusedAs("BA-0003"));
        Assert.That(async () => await Engine.WriteParquetAsync(new BatchQuery(sql), new BatchOutput("results/x")),
            RefusedAs("BA-0003"));
        Assert.That(async () => await Engine.ExplainAsync(new BatchQuery(sql)), RefusedAs("BA-0003"));
    }

    [TestCase("SELECT 1 AS a;", "1")]
    [TestCase("WITH t AS (SELECT 1 AS a) SELECT a FROM t -- and a comment", "1")]
    [TestCase("VALUES ('x')", "x")]
    public async Task All_forms_of_one_select_are_taken(string sql, string row) =>
        Assert.That(await RowsAsync(sql), Is.EqualTo(new[] { row }));

    [TestCase("SELECT * FROM read_csv('/etc/passwd')")]
    [TestCase("SELECT * FROM read_text('/etc/hostname')")]
    [TestCase("SELECT * FROM '/etc/passwd'")]
    [TestCase("SELECT * FROM glob('/etc/*')")]
    public void Files_outside_the_archive_cannot_be_read(string sql) =>
        Assert.That(async () => await RowsAsync(sql), RefusedAs("BA-0001"));

    [Test]
    public async Task A_result_is_kept_as_parquet()
    {
        await SampleArchive.WriteAsync(Store);

        var written = await Engine.WriteParquetAsync(
            new BatchQuery(
                "SELECT device_id, count(*) AS n FROM telemetry WHERE hour = $hour GROUP BY device_id; -- done",
                new Dictionary<string, object?> { ["hour"] = 11L }),
            new BatchOutput("results/test-1"));

        Assert.That(written.Rows, Is.EqualTo(SampleArchive.Devices));
        Assert.That(written.Keys, Has.Count.EqualTo(1).And.All.StartsWith("results/test-1/"));
        var content = await Store.GetAsync(written.Keys[0]);
        Assert.That(content, Has.Length.EqualTo(written.Bytes));
        Assert.That(content!.AsSpan(0, 4).SequenceEqual("PAR1"u8), Is.True);
    }

    [Test]
    public async Task A_result_is_kept_in_folders_by_the_values_of_columns()
    {
        await SampleArchive.WriteAsync(Store);

        var written = await Engine.WriteParquetAsync(
            new BatchQuery("SELECT date, hour, device_id, count(*) AS n FROM telemetry WHERE hour < 12 GROUP BY ALL"),
            new BatchOutput("results/parts", "date", "hour"));

        Assert.That(written.Rows, Is.EqualTo(2 * SampleArchive.Devices));
        Assert.That(written.Keys.Select(key => key[..key.LastIndexOf('/')]).Distinct(), Is.EquivalentTo(new[]
        {
            "results/parts/date=2026-11-22/hour=10", "results/parts/date=2026-11-22/hour=11",
        }));
        var bytes = 0L;
        foreach (var key in written.Keys) bytes += (await Store.FindAsync(key))!.Bytes;
        Assert.That(written.Bytes, Is.EqualTo(bytes));
    }

    [Test]
    public async Task The_way_of_a_statement_is_told()
    {
        await SampleArchive.WriteAsync(Store);

        var text = await Engine.ExplainAsync(new BatchQuery("SELECT device_id FROM telemetry WHERE hour = $hour",
            new Dictionary<string, object?> { ["hour"] = 11L }));

        Assert.That(text, Does.Contain("device_id"));
    }

    [Test]
    public async Task A_statement_ends_when_its_caller_leaves()
    {
        using var leaving = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        var watch = System.Diagnostics.Stopwatch.StartNew();

        Assert.That(async () => await Engine.QueryAsync(new BatchQuery(Endless), leaving.Token),
            Throws.InstanceOf<OperationCanceledException>());
        Assert.That(watch.Elapsed, Is.LessThan(TimeSpan.FromSeconds(30)));
        Assert.That(await RowsAsync("SELECT 1 AS a"), Is.EqualTo(new[] { "1" }), "the engine is free again");
    }

    protected void Use(IBatchEngine engine, IObjectStore store) => (Engine, Store) = (engine, store);

    /// <summary>
    /// A statement that runs for hours, in one stage: Spark starts the stages that follow one another on threads of
    /// their own, and one that starts while the statement is being ended goes on.
    /// </summary>
    internal const string Endless =
        "SELECT i FROM range(10000000000) AS a(i), range(1000) AS b(j) WHERE i * j % 7 = 9";

    /// <summary>Rows with every value as text, separated by bars.</summary>
    protected async Task<List<string>> RowsAsync(string sql, IReadOnlyDictionary<string, object?>? parameters = null)
    {
        await using var result = await Engine.QueryAsync(new BatchQuery(sql, parameters));
        return await ArrowText.RowsAsync(result);
    }

    protected static async Task<long> CountAsync(IBatchResult result)
    {
        var count = 0L;
        await foreach (var batch in result.Batches) count += batch.Length;
        return count;
    }

    protected static NUnit.Framework.Constraints.Constraint RefusedAs(string code) =>
        Throws.InstanceOf<MillraceException>().With.Property("Error").Property("Code").EqualTo(code);
}
