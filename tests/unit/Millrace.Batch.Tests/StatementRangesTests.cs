using Millrace.Batch.Sql;
using Millrace.Delta;
using Millrace.Delta.Pruning;
using Millrace.Delta.Schema;

namespace Millrace.Batch.Tests;

/// <summary>Which files a statement can do without is read from the engine's own syntax tree of it.</summary>
public sealed class StatementRangesTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 22, 12, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Midnight = new(2026, 11, 22, 0, 0, 0, TimeSpan.Zero);

    private static readonly DeltaSchema Schema =
        new([.. TelemetryTable.BaseSchema.Columns, new DeltaColumn("temperature", DeltaType.Double)]);

    private static readonly Dictionary<string, object?> Parameters = new()
    {
        ["time"] = Noon,
        ["text"] = "2026-11-22T12:00:00Z",
        ["device"] = "d-1",
        ["n"] = 7L,
        ["none"] = null,
    };

    private readonly SqlParser _parser = new();

    [OneTimeTearDown]
    public void Close() => _parser.Dispose();

    [TestCase("enqueued_at >= $time", "enqueued_at", 1, 0)]
    [TestCase("enqueued_at < $text", "enqueued_at", 0, 1)]
    [TestCase("$time < event_at", "event_at", 1, 0)]
    [TestCase("event_at = '2026-11-22 12:00:00'", "event_at", 1, 1)]
    [TestCase("event_at > TIMESTAMPTZ '2026-11-22 12:00:00+00'", "event_at", 1, 0)]
    [TestCase("t.enqueued_at >= $time", "enqueued_at", 1, 0)]
    public void A_time_is_compared(string condition, string column, int from, int to)
    {
        var expected = new ColumnRange(column, from == 1 ? Noon : null, to == 1 ? Noon : null);

        Assert.That(RangesOf($"SELECT * FROM telemetry AS t WHERE {condition}"), Is.EqualTo(new[] { expected }));
    }

    [Test]
    public void Conditions_that_must_all_hold_are_all_taken()
    {
        Assert.That(
            RangesOf("SELECT 1 FROM telemetry WHERE device_id = $device AND (hour BETWEEN 3 AND $n) "
                + "AND date = '2026-11-22' AND temperature > 5 AND length(body) > 3 AND enqueued_at >= '2026-11-22'"),
            Is.EqualTo(new[]
            {
                ColumnRange.Of("device_id", "d-1"), new ColumnRange("hour", 3L, null),
                new ColumnRange("hour", null, 7L),
                ColumnRange.Of("date", new DateOnly(2026, 11, 22)), new ColumnRange("temperature", 5L, null),
                new ColumnRange("enqueued_at", Midnight, null),
            }));
    }

    [TestCase("SELECT count(*) FROM (SELECT * FROM telemetry WHERE hour = 3)")]
    [TestCase("WITH t AS (SELECT * FROM telemetry WHERE hour = 3) SELECT * FROM t JOIN t AS u USING (device_id)")]
    [TestCase("SELECT * FROM range(3) AS r(i) WHERE i IN (SELECT log_offset FROM telemetry WHERE hour = 3)")]
    public void The_one_place_that_reads_the_view_counts_wherever_it_is(string sql) =>
        Assert.That(RangesOf(sql), Is.EqualTo(new[] { ColumnRange.Of("hour", 3L) }));

    [TestCase("telemetry", "device_id IN ('d-7', $device, 'd-3')", "device_id", "d-1", "d-7")]
    [TestCase("telemetry AS t", "T.hour IN (9, $n, 8)", "hour", 7L, 9L)]
    [TestCase("telemetry", "telemetry.log_offset IN (5)", "log_offset", 5L, 5L)]
    public void One_of_several_values_lies_between_them(
        string table, string condition, string column, object from, object to) =>
        Assert.That(RangesOf($"SELECT * FROM {table} WHERE {condition}"),
            Is.EqualTo(new[] { new ColumnRange(column, from, to) }));

    [Test]
    public void A_column_of_a_table_around_is_not_the_tables_own() =>
        Assert.That(
            RangesOf("SELECT * FROM (VALUES ('a', 3)) AS d(device_id, hour) WHERE EXISTS (SELECT 1 FROM telemetry AS t "
                + "WHERE t.hour = 10 AND d.device_id = 'a' AND d.hour IN (3) AND d.hour BETWEEN 1 AND 5)"),
            Is.EqualTo(new[] { ColumnRange.Of("hour", 10L) }));

    [TestCase("SELECT * FROM telemetry WHERE hour IN (1, $none)")]
    [TestCase("SELECT * FROM telemetry WHERE hour IN (1, log_offset)")]
    [TestCase("SELECT * FROM telemetry WHERE hour NOT IN (1, 2)")]
    [TestCase("SELECT * FROM telemetry WHERE hour IN (SELECT 1)")]
    [TestCase("SELECT * FROM telemetry AS t(hour) WHERE hour = 'd-1'")]
    [TestCase("SELECT * FROM telemetry AS t WHERE properties.hour = 3")]
    [TestCase("SELECT * FROM telemetry")]
    [TestCase("SELECT * FROM telemetry WHERE hour = 3 OR hour = 4")]
    [TestCase("SELECT * FROM telemetry WHERE NOT hour = 3")]
    [TestCase("SELECT * FROM telemetry WHERE hour <> 3")]
    [TestCase("SELECT * FROM telemetry WHERE hour + 1 = 3")]
    [TestCase("SELECT * FROM telemetry WHERE hour = $none")]
    [TestCase("SELECT * FROM telemetry WHERE enqueued_at::DATE = '2026-11-22'")]
    [TestCase("SELECT * FROM telemetry WHERE enqueued_at > now()")]
    [TestCase("SELECT * FROM telemetry WHERE temperature > 1.5")]
    [TestCase("SELECT * FROM telemetry WHERE no_such = 3")]
    [TestCase("SELECT * FROM telemetry AS a, telemetry AS b WHERE a.hour = 3")]
    [TestCase("SELECT * FROM telemetry WHERE hour = 3 UNION ALL SELECT * FROM telemetry")]
    [TestCase("WITH telemetry AS (SELECT * FROM telemetry) SELECT * FROM telemetry WHERE hour = 3")]
    [TestCase("SELECT * FROM telemetry LEFT JOIN range(3) AS r(i) ON hour = 3")]
    [TestCase("SELECT * FROM (VALUES (3)) AS other(hour) WHERE hour = 3")]
    [TestCase("SELECT count(*) FILTER (WHERE hour = 3) FROM telemetry")]
    [TestCase("SELECT device_id FROM telemetry GROUP BY device_id HAVING device_id = 'd-1'")]
    public void What_is_not_certain_leaves_all_files(string sql) => Assert.That(RangesOf(sql), Is.Empty);

    [Test]
    public void A_cast_to_a_date_cuts_the_time_off() =>
        Assert.That(RangesOf("SELECT * FROM telemetry WHERE enqueued_at >= CAST('2026-11-22 12:00:00' AS DATE)"),
            Is.EqualTo(new[] { new ColumnRange("enqueued_at", Midnight, null) }));

    private IReadOnlyList<ColumnRange> RangesOf(string sql)
    {
        using var tree = _parser.Parse(sql);
        return StatementRanges.Of(tree.RootElement, "telemetry", Schema, Parameters);
    }
}
