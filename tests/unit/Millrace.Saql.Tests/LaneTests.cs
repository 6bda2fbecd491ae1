using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using CsCheck;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>TIMESTAMP BY ... OVER k: each substream has a timeline of its own.</summary>
[Category("Samples")]
public class LaneTests
{
    private const string From = "FROM telemetry TIMESTAMP BY ts OVER room";

    private const string Windows =
        $"SELECT room, COUNT(*) AS n, SUM(x) AS s, System.Timestamp() AS t INTO tumbling {From} " +
        "GROUP BY room, TumblingWindow(second, 5) " +
        $"SELECT room, x, COUNT(*) AS n, System.Timestamp() AS t INTO hopping {From} " +
        "GROUP BY room, x, HoppingWindow(second, 6, 2)";

    private const string Steps =
        $"WITH s AS (SELECT room, COUNT(*) AS n {From} GROUP BY room, TumblingWindow(second, 2)) " +
        "SELECT room, n, LAG(n) OVER (PARTITION BY room LIMIT DURATION(hour, 1)) AS l INTO steps FROM s " +
        "SELECT room, MAX(n) AS m, System.Timestamp() AS t INTO most FROM s GROUP BY room, TumblingWindow(second, 8)";

    private const string Sliding =
        $"SELECT room, COUNT(*) AS n, MAX(x) AS m, System.Timestamp() AS t INTO sliding {From} " +
        "GROUP BY room, SlidingWindow(second, 3)";

    private const string Sessions =
        $"SELECT room, COUNT(*) AS n, System.Timestamp() AS t INTO sessions {From} " +
        "GROUP BY room, SessionWindow(second, 2, 8) OVER (PARTITION BY room)";

    private const string Back =
        "SELECT room, x, LAG(x) OVER (PARTITION BY room LIMIT DURATION(day, 1)) AS far, " +
        "LAG(x, 2, -1) OVER (PARTITION BY room LIMIT DURATION(second, 4) WHEN x <> 5) AS near, " +
        "ISFIRST(minute, 10) OVER (PARTITION BY room) AS f, " +
        "SUM(x) OVER (PARTITION BY room LIMIT DURATION(minute, 20)) AS s, " +
        "AnomalyDetection_ChangePoint(x, 50, 5) OVER (PARTITION BY room LIMIT DURATION(hour, 1)) AS a " +
        $"INTO back {From}";

    private const string Joined =
        "SELECT a.room, a.x AS ax, b.x AS bx, System.Timestamp() AS t INTO joined " +
        "FROM telemetry a TIMESTAMP BY ts OVER room LEFT JOIN telemetry b TIMESTAMP BY ts OVER room " +
        "ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 1 AND 4 AND b.x > 3";

    private const string Matched =
        $"SELECT * INTO matched {From} MATCH_RECOGNIZE (LIMIT DURATION(second, 6) PARTITION BY room " +
        "MEASURES First(A.x) AS f, Last(B.x) AS l AFTER MATCH SKIP TO NEXT ROW PATTERN (A+ B) " +
        "DEFINE A AS A.x < 5, B AS B.x >= 3) AS m";

    private const string Different = $"SELECT DISTINCT room, x INTO different {From}";

    /// <summary>The place of a room is the same for all rooms' timelines.</summary>
    private const string Placed =
        "SELECT t.room, p.floor, COUNT(*) AS n, System.Timestamp() AS t INTO placed " +
        "FROM telemetry t TIMESTAMP BY ts OVER room LEFT JOIN places p ON t.room = p.room " +
        "GROUP BY t.room, p.floor, TumblingWindow(second, 5)";

    /// <summary>Looks at rows of all rooms, so that these have one timeline.</summary>
    private const string Together = $"SELECT LAG(x) OVER (LIMIT DURATION(second, 1)) AS l INTO together {From}";

    private static readonly string[] Queries =
    [
        Windows, Steps, Sliding, Sessions, Back, Joined, Matched, Different, Placed,
        $"{Windows} {Sliding} {Joined} {Matched} {Back}",
    ];

    private static readonly TopicPartition Zero = LaneScenario.Zero;

    [Test]
    public void What_comes_out_and_its_order_do_not_depend_on_batches([ValueSource(nameof(Queries))] string query) =>
        Sample(query, (scenario, plan) => Compare(scenario.Undisturbed(plan), scenario.InBatches(plan)));

    [Test]
    public void Nor_on_restoring([ValueSource(nameof(Queries))] string query) =>
        Sample(query, (scenario, plan) => Compare(scenario.Undisturbed(plan), scenario.Restored(plan)));

    [Test]
    public void The_rows_are_those_of_one_timeline_for_all([ValueSource(nameof(Queries))] string query) =>
        Sample(query, (scenario, plan) =>
        {
            var together = QueryRun.Compile($"{query} {Together}", LaneScenario.References);
            if (together.Explain().Contains("timelines:")) throw new InvalidOperationException("several timelines");
            var (expected, found) = (scenario.Undisturbed(together), scenario.InBatches(plan));
            expected.Rows.RemoveAll(row => row.Output == "together");
            expected.Rows.Sort(ByText);
            found.Rows.Sort(ByText);
            Compare(expected, found);
            if (found.Rows.DistinctBy(row => row.RowId).Count() != found.Rows.Count)
                throw new InvalidOperationException("two rows of one identity");
        });

    private static void Sample(string query, Action<LaneScenario, QueryPlan> compare) =>
        Gen.Int[0, int.MaxValue].Sample(
            seed => compare(new LaneScenario(seed), QueryRun.Compile(query, LaneScenario.References)),
            iter: Samples.Of(150), print: seed => $"seed {seed}");

    private static int ByText(QueryRun.Row one, QueryRun.Row other) =>
        string.CompareOrdinal(one.ToString(), other.ToString());

    private static void Compare(QueryRun expected, QueryRun found)
    {
        if (!found.Rows.SequenceEqual(expected.Rows))
            throw new InvalidOperationException(
                $"expected\n{string.Join('\n', expected.Rows)}\nfound\n{string.Join('\n', found.Rows)}");
        if (!found.Drops.SequenceEqual(expected.Drops)) throw new InvalidOperationException("other drops");
    }

    [TestCase(0)]
    [TestCase(1_500)]
    public void A_window_of_a_device_ends_at_its_next_event_while_others_lag_behind(int outOfOrderMs)
    {
        var (engine, run) = Begin(Tumbling, new QueryEngineOptions("q", 1)
        {
            LateTolerance = TimeSpan.FromDays(1),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(outOfOrderMs),
        });
        engine.Process(Batch(0, (100_000, "b", 41_000), (100_000, "a", 92_000), (100_100, "a", 94_000)));
        Assert.That(run.Json, Is.Empty);
        engine.Process(Batch(3, (102_000, "a", 97_000)));
        Assert.That(run.Json, Is.EqualTo(["""{"room":"a","n":2}"""]));
        engine.Process(Batch(4, (102_000, "b", 42_000)));
        Assert.That(run.Rows, Has.Count.EqualTo(1));
        engine.Process(Batch(5, (102_000, "b", 47_000)));
        Assert.That(run.Json.Last(), Is.EqualTo("""{"room":"b","n":2}"""));
        Assert.That(engine.AwaitsWatermark, Is.True);
    }

    [TestCase(0)]
    [TestCase(1_500)]
    public void That_of_an_idle_device_ends_when_the_late_tolerance_has_passed_it(int outOfOrderMs)
    {
        var (engine, run) = Begin(Tumbling, new QueryEngineOptions("q", 1)
        {
            LateTolerance = TimeSpan.FromSeconds(5),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(outOfOrderMs),
        });
        engine.Process(Batch(0, (100_000, "a", 98_000)));
        // An event at the end of the window could still come.
        engine.Process(Batch(1, (105_000, "b", 105_000)));
        Assert.That(run.Json, Is.Empty);
        engine.Process(Batch(2, (105_001, "b", 105_000)));
        Assert.That(run.Json, Is.EqualTo(["""{"room":"a","n":1}"""]));
        engine.Mark(Zero, 3, 110_000);
        Assert.That(run.Rows, Has.Count.EqualTo(1));
        engine.Mark(Zero, 3, 110_001);
        Assert.That(run.Json.Last(), Is.EqualTo("""{"room":"b","n":2}"""));
        Assert.That(engine.AwaitsWatermark, Is.False);
    }

    [Test]
    public void A_row_of_an_idle_device_goes_on_when_the_late_tolerance_has_come_to_it()
    {
        var (engine, run) = Begin(
            $"SELECT room, LAG(n) OVER (PARTITION BY room LIMIT DURATION(hour, 1)) AS n {From}",
            new QueryEngineOptions("q", 1)
            {
                LateTolerance = TimeSpan.FromSeconds(5),
                OutOfOrderTolerance = TimeSpan.FromMilliseconds(1_500),
            });
        engine.Process(Batch(0, (100_000, "a", 98_000)));
        engine.Mark(Zero, 1, 102_999);
        Assert.That(run.Json, Is.Empty);
        engine.Mark(Zero, 1, 103_000);
        Assert.That(run.Json, Is.EqualTo(["""{"room":"a","n":null}"""]));
        Assert.That(engine.AwaitsWatermark, Is.False);
    }

    [Test]
    public void Idle_devices_end_in_the_order_in_which_they_began()
    {
        var (engine, run) = Begin(Tumbling, new QueryEngineOptions("q", 1));
        engine.Process(Batch(0, (91_000, "c", 91_000), (91_500, "a", 91_500), (92_000, "b", 92_000),
            (93_000, "c", 93_000), (111_000, "d", 111_000)));
        Assert.That(run.Json.Select(row => row[9]), Is.EqualTo("cab"));
    }

    [TestCase("GROUP BY room, TumblingWindow(second, 5) HAVING COUNT(*) > 0")]
    [TestCase("GROUP BY room, HoppingWindow(second, 6, 2) HAVING COUNT(*) > 0")]
    [TestCase("GROUP BY room, SlidingWindow(second, 5) HAVING COUNT(*) > 0")]
    [TestCase("GROUP BY room, SessionWindow(second, 2, 8) OVER (PARTITION BY room)")]
    public void Idle_devices_are_forgotten(string groups)
    {
        var (engine, run) = Begin($"SELECT room, COUNT(*) AS n {From} {groups}", new QueryEngineOptions("q", 1));
        for (var round = 0; round < 3; round++)
        {
            var start = 1_000_000 + (round * 1_000_000L);
            engine.Process(Batch(round * 1_000, [.. Enumerable.Range(0, 1_000).Select(i =>
                (start + i, $"{round}-{i:000}", start + i))]));
            Assert.That(engine.StateBytes, Is.GreaterThan(1_000 * 200));
            engine.Mark(Zero, (round + 1) * 1_000, start + 500_000);
            Assert.That(run.Rows, Is.Not.Empty);
            Assert.That(engine.StateBytes, Is.Zero);
            Assert.That(engine.AwaitsWatermark, Is.False);
        }
    }

    [Test]
    public void A_device_is_kept_as_long_as_a_function_looks_back_at_it()
    {
        var (engine, run) = Begin(
            $"SELECT room, LAG(n) OVER (PARTITION BY room LIMIT DURATION(hour, 1)) AS n {From}",
            new QueryEngineOptions("q", 1));
        engine.Process(Batch(0, (1_000_000, "a", 1_000_000)));
        engine.Process(Batch(1, (4_500_000, "b", 4_500_000)));
        engine.Process(Batch(2, (4_599_999, "a", 4_599_999)));
        Assert.That(run.Json.Last(), Is.EqualTo("""{"room":"a","n":1}"""));
        engine.Mark(Zero, 3, 9_000_000);
        Assert.That(engine.StateBytes, Is.Zero);
    }

    [Test]
    public void What_all_devices_keep_is_limited()
    {
        var (engine, _) = Begin(Tumbling, new QueryEngineOptions("q", 1) { StateBytesMax = 100_000 });
        engine.Process(Batch(0, [.. Enumerable.Range(0, 100).Select(i => (1_000_000L + i, $"{i}", 1_000_000L + i))]));
        Assert.That(engine.StateBytes, Is.InRange(100 * 500, 100 * 1_000));
        Assert.That(Assert.Throws<MillraceException>(() => engine.Process(Batch(100,
            [.. Enumerable.Range(100, 400).Select(i => (1_000_000L + i, $"{i}", 1_000_000L + i))])))!.Error.Code,
            Is.EqualTo("SQ-0203"));
    }

    [TestCase(Tumbling)]
    [TestCase($"SELECT room, COUNT(*) AS c {From} GROUP BY room, SlidingWindow(second, 5) HAVING COUNT(*) < 0")]
    [TestCase($"SELECT room {From} WHERE LAG(n) OVER (PARTITION BY room LIMIT DURATION(second, 5)) > 1000")]
    public void Nothing_is_allocated_for_an_event_or_for_a_device_that_comes_when_another_is_forgotten(string query)
    {
        var plan = QueryRun.Compile(query);
        var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1), [new QuerySource("telemetry", Zero, 0)],
            new NoSink());
        var batches = Enumerable.Range(0, 400).Select(i => (Number: i, At: 1_000_000 + (i * 10_000L)))
            .Select(batch => Batch(batch.Number * 50, [.. Enumerable.Range(0, 50).Select(j =>
                (batch.At + (j * 100), $"{(batch.Number / 10 * 50) + j:00000}", batch.At))])).ToList();
        foreach (var batch in batches[..200]) engine.Process(batch);

        var before = GC.GetAllocatedBytesForCurrentThread();
        foreach (var batch in batches[200..]) engine.Process(batch);
        Assert.That(GC.GetAllocatedBytesForCurrentThread() - before, Is.LessThan(200 * 50),
            "less than a byte an event");
    }

    [Test]
    public void Devices_that_begin_to_wait_anew_for_the_same_time_end_in_that_order()
    {
        const string Query = $"SELECT * {From} MATCH_RECOGNIZE (LIMIT DURATION(second, 6) PARTITION BY room " +
            "MEASURES Last(A.n) AS n AFTER MATCH SKIP TO NEXT ROW PATTERN (A B*) " +
            "DEFINE A AS A.n < 5, B AS B.n > 7) AS m";
        var (engine, run) = Begin(Query, new QueryEngineOptions("q", 1));
        // The second event says that the match of the first is whole, and a waits for nothing.
        engine.Process(Batch(0, (91_000, "a", 91_000, 1), (91_000, "a", 91_000, 6), (91_000, "b", 91_000, 2),
            (91_000, "a", 91_000, 3)));
        Assert.That(run.Json, Is.EqualTo(["""{"n":1}"""]));
        engine.Mark(Zero, 4, 111_000);
        Assert.That(run.Json, Is.EqualTo(["""{"n":1}""", """{"n":2}""", """{"n":3}"""]));
    }

    [TestCase($"{From} GROUP BY room, TumblingWindow(second, 5)", true)]
    [TestCase($"{From} GROUP BY room, SessionWindow(second, 2, 8)", false)]
    [TestCase($"{From} GROUP BY room, SessionWindow(second, 2, 8) OVER (PARTITION BY room)", true)]
    [TestCase($"{From}, site GROUP BY room, site, SessionWindow(second, 2, 8) OVER (PARTITION BY room)", false)]
    [TestCase($"{From}, site GROUP BY room, site, SessionWindow(second, 2, 8) OVER (PARTITION BY site, room)", true)]
    [TestCase($"FROM (SELECT room, LAG(n) OVER (LIMIT DURATION(hour, 1)) AS n {From}) AS s " +
        "GROUP BY room, TumblingWindow(second, 5)", false)]
    [TestCase($"FROM (SELECT room, LAG(n) OVER (PARTITION BY site LIMIT DURATION(hour, 1)) AS n {From}) AS s " +
        "GROUP BY room, TumblingWindow(second, 5)", false)]
    [TestCase($"FROM (SELECT site, COUNT(*) AS n {From} GROUP BY room, site, TumblingWindow(second, 5)) AS s " +
        "GROUP BY site, TumblingWindow(second, 5)", false)]
    [TestCase($"FROM (SELECT room, x {From} MATCH_RECOGNIZE (LIMIT DURATION(second, 6) MEASURES Last(A.room) AS " +
        "room, Last(A.x) AS x PATTERN (A+) DEFINE A AS A.x < 5) AS m) AS s", false)]
    [TestCase("FROM (SELECT room, n FROM telemetry TIMESTAMP BY ts OVER room UNION SELECT room, n FROM alerts " +
        "TIMESTAMP BY ts OVER room) AS s GROUP BY room, TumblingWindow(second, 5)", true)]
    [TestCase("FROM (SELECT room, site, n FROM telemetry TIMESTAMP BY ts OVER room, site UNION SELECT room, site, n " +
        "FROM alerts TIMESTAMP BY ts OVER site, room) AS s GROUP BY room, site, TumblingWindow(second, 5)", false)]
    [TestCase("FROM telemetry a TIMESTAMP BY ts OVER room JOIN alerts b TIMESTAMP BY ts OVER room " +
        "ON a.room = b.room AND DATEDIFF(second, a, b) BETWEEN 0 AND 5", true)]
    [TestCase(From, false)]
    public void Timelines_are_shared_where_rows_of_several_devices_meet(string source, bool areOwn)
    {
        var counts = source.Contains("GROUP BY") ? "COUNT(*) AS n" : source.Contains("JOIN") ? "a.room" : "room";
        Assert.That(QueryRun.Compile($"SELECT {counts} {source}").Explain().Contains("timelines: one for each"),
            Is.EqualTo(areOwn));
    }

    [TestCase("s.room = o.room", true)]
    [TestCase("s.n = o.n", false)]
    public void They_are_shared_where_rows_of_several_devices_are_joined(string on, bool areOwn)
    {
        var plan = QueryRun.Compile(
            $"WITH s AS (SELECT room, COUNT(*) AS n {From} GROUP BY room, TumblingWindow(second, 5)), " +
            $"o AS (SELECT room, MAX(x) AS n {From} GROUP BY room, TumblingWindow(second, 5)) " +
            $"SELECT s.room FROM s JOIN o ON {on} AND DATEDIFF(second, s, o) BETWEEN 0 AND 5");
        Assert.That(plan.Explain().Contains("timelines: one for each"), Is.EqualTo(areOwn));
    }

    [Test]
    public void A_state_of_an_older_program_goes_on_with_one_timeline_for_all()
    {
        var (engine, run) = Begin(Tumbling, new QueryEngineOptions("q", 1));
        engine.Restore(Convert.FromBase64String(OlderState));
        engine.Process(Batch(2, (97_000, "a", 97_000)));
        Assert.That(run.Json, Is.Empty);
        Assert.That(FormatOf(engine), Is.EqualTo(3));
        engine.Mark(Zero, 3, 103_000);
        Assert.That(run.Json, Is.EqualTo(["{\"room\":\"a\",\"n\":1}", "{\"room\":\"b\",\"n\":1}"]));

        var (next, _) = Begin(Tumbling, new QueryEngineOptions("q", 2));
        Assert.That(next.TryRestoreEarlier(Convert.FromBase64String(OlderState), 1), Is.True);
        Assert.That(FormatOf(Begin(Tumbling, new QueryEngineOptions("q", 1)).Engine), Is.EqualTo(5));
    }

    private static int FormatOf(QueryEngine engine)
    {
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        return BinaryPrimitives.ReadInt32LittleEndian(state.WrittenSpan);
    }

    /// <summary>Of the query <see cref="Tumbling"/>, after an event of a at 91 s and one of b at 91.5 s.</summary>
    private const string OlderState =
        "AwAAACCqlTWAtS+1AgEAAAIAAAAAAAAAAAAAAAAAAAAAlosu9n+fCIClkCv2f58IAgAAAAYAAAAFAQAAAGGA//It9n" +
        "+fCID/8i32f58IBgAAAAUBAAAAYgCWiy72f58IwEo/LvZ/nwgCAAAAgP/yLfZ/nwgAAAAAAAAAAAAAAAAAAAAAAAAA" +
        "AC0AAAAFAQAAAGQFHAAAADE5NzAtMDEtMDFUMDA6MDE6MzEuMDAwMDAwMFoFAQAAAGHASj8u9n+fCAAAAAABAAAAAA" +
        "AAAAAAAAAAAAAALQAAAAUBAAAAZAUcAAAAMTk3MC0wMS0wMVQwMDowMTozMS41MDAwMDAwWgUBAAAAYgAAAAAAAACA" +
        "AAAAAA5FqbE=";

    private const string Tumbling = $"SELECT room, COUNT(*) AS n {From} GROUP BY room, TumblingWindow(second, 5)";

    private static (QueryEngine Engine, QueryRun Run) Begin(string query, QueryEngineOptions options)
    {
        var plan = QueryRun.Compile(query);
        var run = new QueryRun(plan);
        return (new QueryEngine(plan, options, [new QuerySource("telemetry", Zero, 0)], run), run);
    }

    private static RecordBatch Batch(long offset, params (long ArrivalMs, string Room, long AtMs)[] events) =>
        Batch(offset, [.. events.Select(one => (one.ArrivalMs, one.Room, one.AtMs, N: 1))]);

    private static RecordBatch Batch(long offset, params (long ArrivalMs, string Room, long AtMs, int N)[] events)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var (arrival, room, at, n) in events)
        {
            builder.Begin(arrival, "d"u8);
            var ts = DateTimeOffset.FromUnixTimeMilliseconds(at).UtcDateTime;
            builder.End(Encoding.UTF8.GetBytes(
                $$"""{"n":{{n}},"room":"{{room}}","ts":"{{ts:yyyy-MM-ddTHH:mm:ss.fffffffZ}}"}"""));
        }

        return new RecordBatch(Zero, offset, events.Length, builder.Bytes.ToArray());
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
