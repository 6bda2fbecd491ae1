using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.Saql.Tests;

public class EngineTests
{
    private const long StartMs = 1_767_225_600_000;

    private static readonly TopicPartition Zero = new("telemetry", 0);

    [TestCase("SELECT x INTO a FROM telemetry WHERE x > 1000 AND s = 'none' SELECT y INTO b FROM telemetry WHERE " +
        "LEN(s) > 100 OR y / 2 > 500")]
    [TestCase("SELECT room, COUNT(*) AS n, AVG(x) AS a, MAX(x) AS m, STDEV(y) AS d FROM telemetry GROUP BY room, " +
        "TumblingWindow(second, 1) HAVING COUNT(*) < 0")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId, SUM(x) AS s FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, " +
        "HoppingWindow(second, 3, 1) HAVING SUM(x) < 0")]
    [TestCase("SELECT s, SUM(x) AS s2 FROM telemetry TIMESTAMP BY DATEADD(ms, -50, EventEnqueuedUtcTime) GROUP BY " +
        "s, room, TumblingWindow(second, 1) HAVING SUM(x) < 0")]
    [TestCase("SELECT a.x FROM telemetry a LEFT JOIN telemetry b ON a.room = b.room AND DATEDIFF(ms, a, b) BETWEEN 1 " +
        "AND 50 WHERE b.x IS NULL AND a.x > 1000")]
    [TestCase("SELECT IoTHub.ConnectionDeviceId AS d, MAX(x) AS m FROM telemetry GROUP BY IoTHub.ConnectionDeviceId, " +
        "SessionWindow(ms, 20, 1000) OVER (PARTITION BY IoTHub.ConnectionDeviceId) HAVING MAX(x) > 1000")]
    [TestCase("SELECT s, room, COUNT(*) AS n FROM telemetry GROUP BY s, room, SlidingWindow(ms, 20) " +
        "HAVING COUNT(*) > 1000")]
    [TestCase("SELECT COUNT(DISTINCT s) AS n FROM telemetry GROUP BY room, TumblingWindow(second, 1) HAVING " +
        "COUNT(DISTINCT s) < 0")]
    [TestCase("SELECT * FROM telemetry MATCH_RECOGNIZE (LIMIT DURATION(ms, 100) PARTITION BY room MEASURES " +
        "Last(B.x) AS x AFTER MATCH SKIP TO NEXT ROW PATTERN (A B) DEFINE A AS A.x > 20, B AS B.x > 1000) AS m")]
    [TestCase("SELECT x FROM telemetry WHERE LAG(x) OVER (PARTITION BY s, room LIMIT DURATION(ms, 20)) > 1000")]
    [TestCase("SELECT x FROM telemetry WHERE ISFIRST(ms, 100) OVER (PARTITION BY s, room) = 1 AND x > 1000")]
    [TestCase("SELECT x, s FROM telemetry WHERE x >= 0")]
    [TestCase("SELECT room, AVG(x) AS a FROM telemetry GROUP BY room, TumblingWindow(second, 1)")]
    [TestCase("SELECT x FROM telemetry WHERE ST_WITHIN(CreatePoint(x, y), 'POLYGON((0 0, 9 0, 9 9, 0 0))') = 1 " +
        "AND x > 99")]
    [TestCase("SELECT x FROM telemetry WHERE ST_DISTANCE(CreatePoint(x, y), CreatePoint(x, 8)) > 99999999")]
    [TestCase("SELECT x FROM telemetry WHERE MAX(x) OVER (PARTITION BY room LIMIT DURATION(second, 1)) > 1000")]
    [TestCase("SELECT x FROM telemetry WHERE AVG(x) OVER (PARTITION BY room LIMIT DURATION(second, 1)) > 1000")]
    public void Nothing_is_allocated_for_an_event(string query)
    {
        var options = new QueryEngineOptions("q", 1) { OutOfOrderTolerance = TimeSpan.FromMilliseconds(200) };
        var plan = QueryRun.Compile(query);
        var engine = new QueryEngine(plan, options, [new QuerySource("telemetry", Zero, 0),
            new QuerySource("telemetry", Zero with { Partition = 1 }, 0)], new NoSink());
        var batches = Enumerable.Range(0, 200)
            .Select(i => Batch(Zero with { Partition = i % 2 }, i / 2 * 50, 50, i / 2 * 500L)).ToList();
        foreach (var batch in batches[..120]) engine.Process(batch);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var batch in batches[120..]) engine.Process(batch);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(80 * 50), "less than a byte an event");
    }

    [Test]
    public void A_query_that_keeps_too_much_stops_and_says_so()
    {
        var plan = QueryRun.Compile(
            "SELECT a.x FROM telemetry a JOIN telemetry b ON DATEDIFF(day, a, b) BETWEEN 0 AND 1");
        var options = new QueryEngineOptions("q", 1) { StateBytesMax = 20_000 };
        var engine = new QueryEngine(plan, options, [new QuerySource("telemetry", Zero, 0)], new QueryRun(plan));
        engine.Process(Batch(Zero, 0, 20, 0));
        Assert.That(engine.StateBytes, Is.GreaterThan(20 * 2 * 100));
        Assert.That(Assert.Throws<MillraceException>(() => engine.Process(Batch(Zero, 20, 200, 2_000)))!.Error.Code,
            Is.EqualTo("SQ-0203"));
    }

    [Test]
    public void Rows_name_the_only_device_that_made_them()
    {
        var run = QueryRun.Over(
            """
            SELECT x INTO plain FROM telemetry
            SELECT room, COUNT(*) AS n INTO rooms FROM telemetry GROUP BY room, TumblingWindow(second, 10)
            SELECT MAX(x) AS m INTO one FROM telemetry
            GROUP BY IoTHub.ConnectionDeviceId, HoppingWindow(second, 10, 5)
            """,
            [Line("00:01", "d1", 1, "a"), Line("00:02", "d2", 2, "b"), Line("00:03", "d1", 3, "b"),
                Line("00:06", "d1", 4, "a")]);
        Assert.That(run.Rows.Where(row => row.Output == "plain").Select(row => row.DeviceId),
            Is.EqualTo(new[] { "d1", "d2", "d1", "d1" }));
        Assert.That(run.Rows.Where(row => row.Output == "rooms").Select(row => row.DeviceId),
            Is.EqualTo(new[] { "d1", null }));
        Assert.That(run.Rows.Where(row => row.Output == "one").Select(row => (row.DeviceId, row.Json)), Is.EqualTo(new[]
        {
            ("d1", """{"m":3}"""), ("d2", """{"m":2}"""),
            ("d1", """{"m":4}"""), ("d2", """{"m":2}"""), ("d1", """{"m":4}"""),
        }));
    }

    [Test]
    public void Row_ids_name_record_or_window_and_group()
    {
        var run = QueryRun.Over(
            "SELECT x INTO plain FROM telemetry SELECT x + 1 AS y INTO plain FROM telemetry " +
            "SELECT room, COUNT(*) AS n INTO rooms FROM telemetry GROUP BY room, TumblingWindow(second, 10)",
            [Line("00:01", "d1", 1, "it's")]);
        Assert.That(run.Rows.Select(row => row.RowId), Is.EqualTo(new[]
        {
            "q/1/plain/telemetry/0/o0/0.0", "q/1/plain/telemetry/0/o0/0.1",
            "q/1/rooms/telemetry/-1/w0:1767225600000-1767225610000/'it''s'/0",
        }));
    }

    [Test]
    public void A_mark_lets_time_pass_without_records()
    {
        var plan = QueryRun.Compile("SELECT COUNT(*) AS n FROM telemetry GROUP BY TumblingWindow(second, 10)");
        var run = new QueryRun(plan);
        var one = Zero with { Partition = 1 };
        var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1),
            [new("telemetry", Zero, 0), new("telemetry", one, 5)], run);
        Assert.That((engine.WatermarkMs, engine.AwaitsWatermark), Is.EqualTo((long.MinValue, false)));
        engine.Process(Batch(Zero, 0, 3, 1_000));
        Assert.That((engine.WatermarkMs, engine.AwaitsWatermark), Is.EqualTo((long.MinValue, true)));
        engine.Mark(one, 7, StartMs + 20_000);
        Assert.That(engine.WatermarkMs, Is.EqualTo(long.MinValue), "the mark stands at an offset to come");
        engine.Mark(one, 5, StartMs + 10_000);
        Assert.That(engine.WatermarkMs, Is.EqualTo(StartMs + 1_020));
        engine.Mark(Zero, 3, StartMs + 10_001);
        Assert.That(run.Rows, Is.Empty, "partition 1 may still give an event at the window's end");
        engine.Mark(one, 5, StartMs + 10_001);
        Assert.That(run.Json, Is.EqualTo(new[] { """{"n":3}""" }));
        Assert.That(engine.AwaitsWatermark, Is.False);
        Assert.That(engine.Positions, Is.EqualTo(new[] { new PartitionOffset(Zero, 3), new PartitionOffset(one, 5) }));
    }

    [Test]
    public void Under_TIMESTAMP_BY_a_mark_moves_the_watermark_to_late_tolerance_before_it()
    {
        var plan =
            QueryRun.Compile("SELECT COUNT(*) AS n FROM telemetry TIMESTAMP BY ts GROUP BY TumblingWindow(second, 10)");
        var engine =
            new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], new QueryRun(plan));
        engine.Mark(Zero, 0, StartMs);
        Assert.That(engine.WatermarkMs, Is.EqualTo(StartMs - 5_000));
    }

    [Test]
    public void State_of_another_query_or_damaged_state_is_refused()
    {
        var plan = QueryRun.Compile("SELECT COUNT(*) AS n FROM telemetry GROUP BY TumblingWindow(second, 10)");
        var other = QueryRun.Compile("SELECT COUNT(*) AS m FROM telemetry GROUP BY TumblingWindow(second, 10)");
        var engine = Engine(plan);
        engine.Process(Batch(Zero, 0, 3, 1_000));
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);

        Refused(Engine(other), state.WrittenSpan.ToArray());
        Refused(Engine(plan), state.WrittenSpan[..^1].ToArray());
        var flipped = state.WrittenSpan.ToArray();
        flipped[^5] ^= 1;
        Refused(Engine(plan), flipped);
        Refused(Engine(plan), []);
        Engine(plan).Restore(state.WrittenSpan);

        static QueryEngine Engine(QueryPlan plan) =>
            new(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], new QueryRun(plan));

        static void Refused(QueryEngine engine, byte[] bytes) =>
            Assert.That(Assert.Throws<MillraceException>(() => engine.Restore(bytes))!.Error.Code,
                Is.EqualTo("SQ-0201"));
    }

    /// <summary>Before aggregates told names of two cases apart, such a query kept less.</summary>
    [TestCase("SUM(x) AS a, SUM(y) AS b, SUM(sum) AS c, SUM(sum) AS d", true)]
    [TestCase("SUM(x) AS a, SUM(X) AS b", false)]
    public void State_of_before_is_refused_where_names_differ_in_case_alone(string columns, bool isTaken)
    {
        var plan =
            QueryRun.Compile($"SELECT {columns} FROM telemetry GROUP BY TumblingWindow(second, 10)");
        var options = new QueryEngineOptions("q", 1);
        var engine = new QueryEngine(plan, options, [new("telemetry", Zero, 0)], new QueryRun(plan));
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        var before = state.WrittenSpan.ToArray();
        var told = $"{options.LateTolerance.Ticks};{options.OutOfOrderTolerance.Ticks};False;{Zero};{plan.Text}";
        BinaryPrimitives.WriteUInt32LittleEndian(before.AsSpan(4), Crc32C.Compute(Encoding.UTF8.GetBytes(told)));
        if (isTaken) engine.Restore(before);
        else
            Assert.That(Assert.Throws<MillraceException>(() => engine.Restore(before))!.Error.Code,
                Is.EqualTo("SQ-0201"));
    }

    [Test]
    public void Bodies_that_are_no_JSON_fail_as_a_whole_and_elements_that_are_no_objects_alone()
    {
        var plan = QueryRun.Compile("SELECT x FROM telemetry");
        var run = new QueryRun(plan);
        var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], run);
        string[] bodies =
        [
            "{\"x\":1}", "", "{", "{\"x\":1,}", "{\"x\":01}", "5", "{\"x\":1} 2", "[{\"x\":2}, 3, {\"x\":4}]",
                "[{\"x\":2}", "{\"y\":[1,{}]}",
            "{\"x\":\"\u0001\"}", "{\"x\":\"\\x\"}", "{\"a\":nul}", " {\"x\" : 5 } ", "{\"x\":99999999999999999999}",
                "[]", "{\"x\":\"\\ud800\"}",
            new string('[', 100) + new string(']', 100),
        ];
        using var builder = new RecordBatchBuilder();
        foreach (var body in bodies)
        {
            builder.Begin(StartMs, "d1"u8);
            builder.End(Encoding.UTF8.GetBytes(body));
        }

        builder.Begin(StartMs, "d1"u8);
        builder.End([(byte)'{', (byte)'"', 0xFF, (byte)'"', (byte)':', (byte)'1', (byte)'}']);
        engine.Process(new RecordBatch(Zero, 0, builder.Count, builder.Bytes));
        Assert.That(run.Json, Is.EqualTo(new[]
        {
            """{"x":1}""", """{"x":2}""", """{"x":4}""", """{"x":null}""", """{"x":5}""", "{\"x\":\"\uFFFD\"}",
        }));
        Assert.That(run.Failures.Select(failure => (failure.Offset, failure.Element)), Is.EqualTo(new[]
        {
            (1L, -1), (2, -1), (3, -1), (4, -1), (5, -1), (6, -1), (7, 1), (8, -1), (10, -1), (11, -1), (12, -1),
                (14, -1), (17, -1), (18, -1),
        }));
        Assert.That(run.Failures.Select(failure => failure.Code), Is.All.EqualTo("SQ-0101"));
        Assert.That(run.Rows[1].RowId, Is.EqualTo("q/1/output/telemetry/0/o7/0.0"));
        Assert.That(run.Rows[2].RowId, Is.EqualTo("q/1/output/telemetry/0/o7/2.0"));
    }

    [Test]
    public void Application_properties_and_message_headers_are_read_by_name()
    {
        var plan = QueryRun.Compile(
            """
            SELECT GetMetadataPropertyValue(telemetry, '[User].[site]') AS site,
                GetMetadataPropertyValue(t, 'User') AS u,
                IoTHub.MessageId, IoTHub.CorrelationId, IoTHub.ConnectionDeviceGenerationId AS g, IoTHub
            FROM telemetry t
            """);
        var run = new QueryRun(plan);
        using var builder = new RecordBatchBuilder();
        builder.Begin(StartMs, "d1"u8);
        builder.AddHeader(TelemetryHeaders.MessageId, "m-1"u8);
        builder.AddHeader(TelemetryHeaders.GenerationId, "7"u8);
        builder.AddHeader("app.site"u8, "south"u8);
        builder.AddHeader("app.site"u8, "north"u8);
        builder.End("{}"u8);
        new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], run)
            .Process(new RecordBatch(Zero, 0, 1, builder.Bytes));
        Assert.That(run.Json, Is.EqualTo(new[]
        {
            """
            {"site":"north","u":{"site":"north"},"MessageId":"m-1","CorrelationId":null,"g":"7",
            "IoTHub":{"ConnectionDeviceId":"d1","EnqueuedTime":"2026-01-01T00:00:00.0000000Z",
            "ConnectionDeviceGenerationId":"7","MessageId":"m-1","CorrelationId":null,"AuthMethod":null,
            "AuthGenerationId":"7","ConnectionModuleId":null,"MessageSource":null,"InterfaceName":null}}
            """.ReplaceLineEndings(""),
        }));
    }

    [Test]
    public void Metadata_have_the_names_of_an_event_hub_too_and_an_event_has_an_id_of_its_own()
    {
        var plan = QueryRun.Compile(
            """
            SELECT GetMetadataPropertyValue(t, '[EventHub].[IoTAuthMethod]') AS m,
                GetMetadataPropertyValue(t, 'EventHub.Offset') AS o, GetMetadataPropertyValue(t, 'EventHub') AS e
            FROM telemetry t
            SELECT GetMetadataPropertyValue(telemetry, 'EventId') AS id INTO ids FROM telemetry
            """);
        using var builder = new RecordBatchBuilder();
        builder.Begin(StartMs, "d1"u8);
        builder.AddHeader(TelemetryHeaders.AuthMethod, "key"u8);
        builder.End("[{},{}]"u8);
        builder.Begin(StartMs, "d1"u8);
        builder.End("{}"u8);
        var (first, second) = (Answers(), Answers());
        Assert.That(first.Rows.Where(row => row.Output == "output").Select(row => row.Json).First(), Is.EqualTo(
            """
            {"m":"key","o":7,"e":{"EventEnqueuedUtcTime":"2026-01-01T00:00:00.0000000Z",
            "EventProcessedUtcTime":"2026-01-01T00:00:00.0000000Z","PartitionId":0,"Offset":7,"SequenceNumber":7,
            "PartitionKey":"d1","IoTConnectionDeviceId":"d1","IoTEnqueueTime":"2026-01-01T00:00:00.0000000Z",
            "Publisher":null,"IoTAuthMethod":"key","IoTAuthGenerationId":null,"IoTConnectionModuleId":null,
            "IoTMessageSource":null,"IoTInterfaceName":null}}
            """.ReplaceLineEndings("")));
        var ids = first.Rows.Where(row => row.Output == "ids").Select(row => row.Json).ToList();
        Assert.That(ids, Is.Unique.And.Count.EqualTo(3));
        Assert.That(ids, Has.All.Matches("^{\"id\":\"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\"}$"));
        Assert.That(second.Rows, Is.EqualTo(first.Rows));

        QueryRun Answers()
        {
            var run = new QueryRun(plan);
            new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 7)], run)
                .Process(new RecordBatch(Zero, 7, builder.Count, builder.Bytes.ToArray()));
            return run;
        }
    }

    [Test]
    public void A_failure_shows_the_value_that_an_aggregate_met()
    {
        var run = QueryRun.Over(
            "SELECT SUM(x) AS s FROM telemetry GROUP BY TumblingWindow(second, 1)", ["""{"x":"warm"}"""]);
        Assert.That(run.Failures.Single().Reason, Does.Contain("'warm' (nvarchar(max))"));
    }

    [Test]
    public void A_partition_that_is_not_a_source_is_refused()
    {
        var plan = QueryRun.Compile("SELECT x FROM telemetry");
        var engine =
            new QueryEngine(plan, new QueryEngineOptions("q", 1), [new("telemetry", Zero, 0)], new QueryRun(plan));
        Assert.That(Assert.Throws<MillraceException>(() =>
            engine.Mark(new TopicPartition("telemetry", 9), 0, 0))!.Error.Code, Is.EqualTo("SQ-0202"));
    }

    private static string Line(string time, string device, int x, string room) =>
        $$"""
        {"EventEnqueuedUtcTime":"2026-01-01T00:{{time}}Z","IoTHub":{"ConnectionDeviceId":"{{device}}"},
        "x":{{x}},"room":"{{room}}"}
        """;

    private static RecordBatch Batch(TopicPartition source, long firstOffset, int count, long fromMs)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = 0; i < count; i++)
        {
            builder.Begin(StartMs + fromMs + (i * 10), Encoding.UTF8.GetBytes($"d{i % 20}"));
            builder.AddHeader(TelemetryHeaders.ContentType, "application/json"u8);
            builder.End(
                Encoding.UTF8.GetBytes($"{{\"x\":{i}.5,\"y\":{i},\"room\":\"r{i % 7}\",\"s\":\"t\\u0041{i % 3}\"}}"));
        }

        return new RecordBatch(source, firstOffset, count, builder.Bytes.ToArray());
    }

    private sealed class NoSink : IQueryRowSink
    {
        public void Row(in QueryRow row)
        {
        }

        public void Failed(in QueryRowFailure failure) => throw new InvalidOperationException(failure.ToString());

        public void Dropped(TopicPartition source, long offset, int element, bool isLate)
        {
        }
    }

    [Test]
    public void A_pattern_goes_on_where_it_waits_for_the_next_row()
    {
        const int Rows = 3_000;
        var run = QueryRun.Over("SELECT m.n FROM telemetry TIMESTAMP BY t MATCH_RECOGNIZE (LIMIT DURATION(hour, 1) " +
            "MEASURES Count(A) AS n PATTERN (A+ B) DEFINE A AS A.v = 1, B AS B.v = 2) AS m",
            Enumerable.Range(0, Rows).Select(i => Line(i, 1)).Append(Line(Rows, 2)));
        Assert.That(run.Json, Is.EqualTo(Enumerable.Range(0, Rows).Select(i => $"{{\"n\":{Rows - i}}}")));
    }

    [Test]
    public void A_pattern_tries_no_way_twice_that_was_in_vain()
    {
        var run = QueryRun.Over("SELECT m.n FROM telemetry TIMESTAMP BY t MATCH_RECOGNIZE (LIMIT DURATION(hour, 1) " +
            "MEASURES Count(A) AS n PATTERN ((A | B)* C) DEFINE A AS v > 0, B AS v < 9, C AS v = 9) AS m",
            Enumerable.Range(0, 60).Select(i => Line(i, 1)));
        Assert.That((run.Rows.Count, run.Failures.Count), Is.EqualTo((0, 0)));
    }

    private static string Line(int second, int v) =>
        $"{{\"t\":\"{DateTime.UnixEpoch.AddSeconds(second):yyyy-MM-ddTHH:mm:ssZ}\",\"v\":{v}}}";
}
