using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>TIMESTAMP BY ... OVER k where rows of a substream come by two inputs or several partitions.</summary>
public class MergedLaneTests
{
    private const string By = "TIMESTAMP BY ts OVER room";

    private const string Counted =
        $"SELECT room, COUNT(*) AS n INTO counted FROM telemetry {By} GROUP BY room, TumblingWindow(second, 5)";

    private const string Joined =
        $"SELECT a.room, a.n AS a, b.n AS b INTO joined FROM telemetry a {By} LEFT JOIN alerts b {By} " +
        "ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 5";

    private static readonly TopicPartition Zero = new("telemetry", 0);
    private static readonly TopicPartition One = new("telemetry", 1);
    private static readonly TopicPartition Alerts = new("alerts", 0);

    [Test]
    public void A_row_of_one_device_neither_closes_nor_expires_what_another_waits_for()
    {
        var (engine, run) = Begin(Joined, Zero, Alerts);
        engine.Process(Batch(Zero, 0, (100_000, "a", 41_000), (100_001, "b", 41_000)));
        engine.Process(Batch(Alerts, 0, (100_002, "a", 60_000)));
        // That of a is not behind its time in telemetry, and that of b in none of the two.
        engine.Mark(Zero, 2, 101_000);
        Assert.That(run.Json, Is.Empty);
        engine.Process(Batch(Zero, 2, (101_000, "a", 60_000)));
        engine.Mark(Alerts, 1, 101_001);
        Assert.That(run.Json, Is.EqualTo(["""{"room":"a","a":1,"b":null}"""]));
        engine.Process(Batch(Alerts, 1, (102_000, "b", 43_000), (102_000, "b", 43_500)));
        engine.Process(Batch(Zero, 3, (102_000, "b", 43_500)));
        engine.Mark(Zero, 4, 103_000);
        engine.Mark(Alerts, 3, 103_000);
        Assert.That(run.Json.Skip(1), Is.EqualTo(
            ["""{"room":"b","a":1,"b":1}""", """{"room":"b","a":1,"b":1}"""]));
        Assert.That(engine.AwaitsWatermark, Is.True);
    }

    [TestCase(Counted, 1)]
    [TestCase(Joined, 0)]
    public void Idle_devices_are_forgotten(string query, int partition)
    {
        var other = query == Joined ? Alerts : One;
        var (engine, run) = Begin(query, new QueryEngineOptions("q", 1), Zero, other);
        Assert.That(other.Partition, Is.EqualTo(partition));
        for (var round = 0; round < 3; round++)
        {
            var start = 1_000_000 + (round * 1_000_000L);
            foreach (var source in new[] { Zero, other })
            {
                engine.Process(Batch(source, round * 1_000, [.. Enumerable.Range(0, 1_000).Select(i =>
                    (start + i, $"{round}-{i:000}", start + i))]));
            }

            Assert.That(engine.StateBytes, Is.GreaterThan(1_000 * 200));
            foreach (var source in new[] { Zero, other })
                engine.Mark(source, (round + 1) * 1_000, start + 500_000);
            Assert.That(run.Rows, Is.Not.Empty);
            Assert.That(engine.StateBytes, Is.Zero);
            Assert.That(engine.AwaitsWatermark, Is.False);
        }
    }

    [TestCase(true)]
    [TestCase(false)]
    public void A_late_record_comes_behind_what_came_before_whichever_partition_is_read_first(bool isReadFirst)
    {
        var (engine, run) = Begin(
            $"SELECT room, n, LAG(n, 1, 0) OVER (PARTITION BY room LIMIT DURATION(hour, 1)) AS l, " +
            $"System.Timestamp() AS t FROM telemetry {By}", Zero, One);
        if (!isReadFirst) engine.Process(Batch(One, 0, (100_000, "b", 60_000), (110_000, "a", 61_000)));
        engine.Process(Batch(Zero, 0, (100_000, "a", 60_000), (101_000, "a", 62_000)));
        engine.Late(Zero, 2, new LateRecord(Batch(Zero, 0, (102_000, "a", 50_000)), -1));
        engine.Process(Batch(Zero, 2, (103_000, "a", 63_000), (120_000, "b", 61_000)));
        if (isReadFirst) engine.Process(Batch(One, 0, (100_000, "b", 60_000), (110_000, "a", 61_000)));
        engine.Complete();
        Assert.That(run.Rows.Select(row => row.Json[9] + row.Json[^16..^3]), Is.EqualTo(
            ["a01:00.0000000", "a01:01.0000000", "b01:00.0000000", "b01:01.0000000", "a01:02.0000000",
                "a01:02.0000001", "a01:03.0000000"]));
        Assert.That(engine.LateTaken(Zero), Is.EqualTo(1));
    }

    /// <summary>A late record is a tick behind what is as far ahead of its arrival as an event may be.</summary>
    [TestCase("PARTITION BY room", 1)]
    [TestCase("PARTITION BY room", 2)]
    [TestCase("", 1)]
    public void A_device_is_not_forgotten_before_time_has_passed_its_late_record(string over, int partitions)
    {
        var (engine, run) = Begin(
            $"SELECT room, LAG(n) OVER ({over} LIMIT DURATION(hour, 1)) AS l, System.Timestamp() AS t " +
            $"FROM telemetry {By} WHERE room = 'a'", new QueryEngineOptions("q", 1),
            partitions == 1 ? [Zero] : [Zero, One]);
        if (partitions > 1) engine.Mark(One, 0, 1_000_000);
        engine.Process(Batch(Zero, 0, (100_000, "a", 400_000)));
        engine.Late(Zero, 1, new LateRecord(Batch(Zero, 0, (100_000, "a", 50_000)), -1));
        engine.Process(Batch(Zero, 1, (405_000, "b", 405_000)));
        engine.Process(Batch(Zero, 2, (405_000, "a", 400_000)));
        engine.Complete();
        Assert.That(run.Json.Select(row => row[^16..^3]), Is.EqualTo(
            ["06:40.0000000", "06:40.0000001", "06:40.0000001"]));
    }

    [Test]
    public void Rows_that_wait_for_another_partition_to_arrive_are_counted()
    {
        var (engine, _) = Begin(Counted, Zero, One);
        engine.Process(Batch(Zero, 0, [.. Enumerable.Range(0, 100).Select(i => (1_000_000L + i, $"{i}", 1_000_000L))]));
        Assert.That(engine.AwaitsWatermark, Is.True);
        Assert.That(engine.StateBytes, Is.InRange(100 * 600, 100 * 1_200));
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        var (restored, _) = Begin(Counted, Zero, One);
        restored.Restore(state.WrittenSpan);
        Assert.That(restored.StateBytes, Is.EqualTo(engine.StateBytes));
    }

    [TestCase(Counted)]
    [TestCase($"SELECT a.room FROM telemetry a {By} JOIN telemetry b {By} ON a.room = b.room " +
        "AND DATEDIFF(second, a, b) BETWEEN 1 AND 2 AND a.n < b.n")]
    public void Nothing_is_allocated_for_an_event_or_for_a_device_that_comes_when_another_is_forgotten(string query)
    {
        var engine = new QueryEngine(QueryRun.Compile(query), new QueryEngineOptions("q", 1),
            [new QuerySource("telemetry", Zero, 0), new QuerySource("telemetry", One, 0)], new NoSink());
        var batches = Enumerable.Range(0, 400).SelectMany(number => new[] { Zero, One }.Select(source =>
            Batch(source, number * 50, [.. Enumerable.Range(0, 50).Select(j => (1_000_000 + (number * 10_000L)
                + (j * 100), $"{(number / 10 * 50) + j:00000}", 1_000_000 + (number * 10_000L)))]))).ToList();
        foreach (var batch in batches[..400]) engine.Process(batch);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var batch in batches[400..]) engine.Process(batch);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(400 * 50),
            "less than a byte an event");
    }

    [Test]
    public void A_state_of_an_older_program_goes_on_with_the_timelines_that_it_had()
    {
        var (engine, run) = Begin(Mixed, Zero, Alerts);
        Assert.That(FormatOf(engine), Is.EqualTo(6));
        engine.Restore(Convert.FromBase64String(OlderState));
        Assert.That(FormatOf(engine), Is.EqualTo(5));
        // The window of a has a timeline of its own, and what is joined has not.
        engine.Process(Batch(Zero, 2, (101_000, "a", 50_000)));
        engine.Process(Batch(Alerts, 0, (101_000, "a", 60_000)));
        engine.Mark(Zero, 3, 102_000);
        engine.Mark(Alerts, 1, 102_000);
        Assert.That(run.Json, Is.EqualTo(["""{"room":"a","n":1}"""]));
        engine.Mark(Zero, 3, 200_000_000);
        engine.Mark(Alerts, 1, 200_000_000);
        Assert.That(run.Rows.Select(row => row.Output), Has.Exactly(3).EqualTo("joined"));
    }

    /// <summary>One part reads a single input, and the other two.</summary>
    private const string Mixed =
        $"SELECT room, COUNT(*) AS n INTO counted FROM telemetry {By}, PartitionId " +
        "GROUP BY room, PartitionId, TumblingWindow(second, 5) " +
        $"SELECT a.room, a.n AS a, b.n AS b INTO joined FROM telemetry a TIMESTAMP BY at OVER room, PartitionId " +
        $"LEFT JOIN alerts b {By}, PartitionId ON a.room = b.room AND a.PartitionId = b.PartitionId " +
        "AND DATEDIFF(second, a, b) BETWEEN 0 AND 5";

    /// <summary>Of the query <see cref="Mixed"/>, after events of a at 41 s and of b at 42 s.</summary>
    private const string OlderState =
        "BQAAAIrf0/rBTLpcHAMAAAAAAAAAAAAAAAAAAAAAAAACAAAAAAAAAAAAAAAAAAAAAEpQM/Z/nwgAiuYILX+fCAIAAAAP" +
        "AAAABQEAAABhAgAAAAAAAAAAAEpQM/Z/nwiAmiUQ9n+fCA8AAAAFAQAAAGICAAAAAAAAAAAASlAz9n+fCAAxvhD2f58I" +
        "AgAAAAAAAAABAAAAAAAAAAAAAAAAAAAAAAAAgAEAAACA9IcS9n+fCAEAAAAQAAAABQEAAABhAgAAAAAAAAAAZCgAAAAA" +
        "AAAADwAAAAAAAAAAAAAAAQAAAAAAAAAPAAAAAQAAAAAAAAAAAAAAIAAAAB4AAAAAAAAABQEAAABhAgAAAAAAAAAAAAEA" +
        "AAAAAAAAAAAAAAAAAAABAAAAAQAAAAAAAAAAAAAAAAAAgAEAAACA9IcS9n+fCAEAAAAQAAAABQEAAABiAgAAAAAAAAAA" +
        "ZCgAAAAAAAAADwAAAAAAAAAAAAAAAQAAAAAAAAAPAAAAAQAAAAEAAAAAAAAAIAAAAB4AAAAAAAAABQEAAABiAgAAAAAA" +
        "AAAAAAEAAAAAAAAAAAAAAAAAAAAASlAz9n+fCACK5ggtf58IAgAAAA8AAAAFAQAAAGECAAAAAAAAAAAASlAz9n+fCICa" +
        "JRD2f58IDwAAAAUBAAAAYgIAAAAAAAAAAABKUDP2f58IADG+EPZ/nwgAAAAAAAAAgAAAAAAAAACAAAAAAAIAAACAmiUQ" +
        "9n+fCAEAAAAAAAAAAAAAAAAAAAAAAAAAYAAAAAUBAAAAZAUcAAAAMTk3MC0wMS0wMVQwMDowMDo0MS4wMDAwMDAwWgUB" +
        "AAAAYQIAAAAAAAAAAAUcAAAAMTk3MC0wMS0wMVQwMDowMDo0MS4wMDAwMDAwWgIBAAAAAAAAAAAxvhD2f58IAQAAAAEA" +
        "AAAAAAAAAAAAAAAAAABgAAAABQEAAABkBRwAAAAxOTcwLTAxLTAxVDAwOjAwOjQyLjAwMDAwMDBaBQEAAABiAgAAAAAA" +
        "AAAABRwAAAAxOTcwLTAxLTAxVDAwOjAwOjQyLjAwMDAwMDBaAgEAAAAAAAAAAAAAAAAAAABNLJaf";

    private static int FormatOf(QueryEngine engine)
    {
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        return BinaryPrimitives.ReadInt32LittleEndian(state.WrittenSpan);
    }

    private static (QueryEngine Engine, QueryRun Run) Begin(string query, params TopicPartition[] sources) =>
        Begin(query, new QueryEngineOptions("q", 1) { LateTolerance = TimeSpan.FromDays(1) }, sources);

    private static (QueryEngine Engine, QueryRun Run) Begin(
        string query, QueryEngineOptions options, params TopicPartition[] sources)
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        return (new QueryEngine(
            plan, options, [.. sources.Select(source => new QuerySource(source.Topic, source, 0))], run), run);
    }

    private static RecordBatch Batch(
        TopicPartition source, long offset, params (long ArrivalMs, string Room, long AtMs)[] events)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var (arrival, room, at) in events)
        {
            builder.Begin(arrival, "d"u8);
            var ts = DateTimeOffset.FromUnixTimeMilliseconds(at).UtcDateTime;
            builder.End(Encoding.UTF8.GetBytes(
                $$"""{"n":1,"room":"{{room}}","ts":"{{ts:yyyy-MM-ddTHH:mm:ss.fffffffZ}}","at":"{{ts:O}}"}"""));
        }

        return new RecordBatch(source, offset, events.Length, builder.Bytes.ToArray());
    }

    private sealed class NoSink : IQueryRowSink
    {
        public void Row(in QueryRow row)
        {
        }

        public void Failed(in QueryRowFailure failure)
        {
        }

        public void Dropped(TopicPartition source, long offset, int element, bool isLate)
        {
        }
    }
}
