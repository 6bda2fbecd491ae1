using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Decoding;

namespace Millrace.Saql.Tests;

/// <summary>Bodies that are decoded once for several queries: each answers as if it were alone.</summary>
public class SharedBodiesTests
{
    private const long StartMs = 1_767_225_600_000;
    private const int Records = 300;

    private static readonly TopicPartition Zero = new("telemetry", 0);
    private static readonly QuerySource Source = new("telemetry", Zero, 0);

    private static readonly string[] Queries =
    [
        "SELECT x, s FROM telemetry", "SELECT * FROM telemetry WHERE x > 3", "SELECT a.b.c AS c, a FROM telemetry",
        "SELECT a.b AS b, x, [X] AS y FROM telemetry", "SELECT A.B AS b, a.C AS c FROM telemetry",
        "SELECT list, s FROM telemetry WHERE list IS NOT NULL",
        "SELECT big, IoTHub.ConnectionDeviceId AS d FROM telemetry", "SELECT deep, x FROM telemetry",
        "SELECT deep.deep.deep AS d FROM telemetry", "SELECT MAX(x) AS m FROM telemetry GROUP BY TumblingWindow(ms, 9)",
        "SELECT s, System.Timestamp() AS t FROM telemetry TIMESTAMP BY t", "SELECT COUNT(*) AS n FROM telemetry " +
            "GROUP BY s, TumblingWindow(ms, 20)",
        "SELECT l.x, r.s FROM telemetry l JOIN telemetry r ON l.x = r.x AND DATEDIFF(ms, l, r) BETWEEN 0 AND 5",
    ];

    [Test]
    public void Each_answers_as_if_it_were_alone() =>
        Assert.That(Enumerable.Range(1, 100).Sum(AnswerAsAlone), Is.Positive, "something was shared");

    private static long AnswerAsAlone(int seed)
    {
        var random = new Random(seed);
        var records = Enumerable.Range(0, Records).Select(_ => Body(random)).ToList();
        var bodies = new SharedBodies(random.Next(3) == 0 ? random.Next(1, 5_000) : 1 << 20);
        var readers = Enumerable.Range(0, random.Next(2, 6))
            .Select(_ => new Reader(Queries[random.Next(Queries.Length)], bodies)).ToList();
        while (readers.Exists(reader => reader.At < Records))
        {
            var one = readers[random.Next(readers.Count)];
            if (random.Next(20) == 0) one.JoinAgain(bodies);
            one.Read(records, random.Next(1, 40), startsEarlier: random.Next(4) == 0 ? random.Next(5) : 0);
        }

        foreach (var reader in readers) reader.AnsweredAsAlone(records);
        return readers.Sum(reader => reader.Found);
    }

    /// <summary>On threads of their own, which wait for each other now and then: so that they meet.</summary>
    [Test]
    public void Each_answers_as_if_it_were_alone_when_all_read_at_once()
    {
        var found = Enumerable.Range(1, 10).Sum(seed =>
        {
            var random = new Random(seed);
            var records = Enumerable.Range(0, Records * 5).Select(_ => Body(random)).ToList();
            var bodies = new SharedBodies(100_000);
            var readers = Queries.Select(query => new Reader(query, bodies)).ToList();
            using var together = new Barrier(readers.Count);
            var threads = readers.ConvertAll(reader => new Thread(() =>
            {
                var sizes = new Random(seed);
                for (var batch = 0; reader.At < records.Count; batch++)
                {
                    reader.Read(records, sizes.Next(1, 60), startsEarlier: 0);
                    if (batch % 4 == 0) together.SignalAndWait();
                }
            }));
            threads.ForEach(thread => thread.Start());
            threads.ForEach(thread => thread.Join());
            foreach (var reader in readers) reader.AnsweredAsAlone(records);
            return readers.Sum(reader => reader.Found);
        });
        Assert.That(found, Is.Positive);
    }

    [Test]
    public void One_that_fails_in_the_middle_of_a_batch_leaves_the_others_what_they_share()
    {
        var records = Plain(1_000);
        var bodies = new SharedBodies(1 << 20);
        var plan = QueryRun.Compile("SELECT l.x FROM telemetry l JOIN telemetry r ON DATEDIFF(day, l, r) " +
            "BETWEEN 0 AND 1");
        var options = new QueryEngineOptions("q", 1) { StateBytesMax = 1 };
        for (var n = 0; n < 10; n++)
        {
            var engine = new QueryEngine(plan, options, [Source], new Throwing());
            using var lease = engine.Share(Zero, bodies);
            Assert.Catch(() => engine.Process(Batch(records, 0, 50)));
        }

        Reader first = new(Queries[0], bodies), second = new(Queries[1], bodies);
        for (var at = 0; at < 1_000; at += 50)
        {
            first.Read(records, 50, startsEarlier: 0);
            second.Read(records, 50, startsEarlier: 0);
        }

        Assert.That((first.Found, second.Found), Is.EqualTo((0, 1_000)));
    }

    [Test]
    public void A_topic_that_was_made_anew_has_other_records_at_its_offsets()
    {
        var bodies = new SharedBodies(1 << 20);
        Reader first = new("SELECT x FROM telemetry", bodies), second = new("SELECT x FROM telemetry", bodies);
        first.Read([.. Plain(20).Skip(10)], 10, startsEarlier: 0);
        var others = Plain(5).Concat(Plain(5)).ToList();
        second.Read(others, 10, startsEarlier: 0);
        second.AnsweredAsAlone(others);
    }

    [Test]
    public void Who_comes_later_finds_what_was_decoded()
    {
        var records = Plain(500);
        var bodies = new SharedBodies(1 << 20);
        Reader[] readers =
            [new(Queries[0], bodies), new(Queries[1], bodies), new("SELECT s FROM telemetry WHERE x < 9", bodies)];
        for (var at = 0; at < 500; at += 50)
        {
            foreach (var reader in readers) reader.Read(records, 50, startsEarlier: 0);
        }

        Assert.That(readers.Select(reader => reader.Found), Is.EqualTo(new[] { 0, 500, 500 }));
        foreach (var reader in readers) reader.AnsweredAsAlone(records);
    }

    [Test]
    public void Whoever_is_alone_shares_nothing_and_one_that_joins_takes_part_from_then_on()
    {
        var records = Plain(200);
        var bodies = new SharedBodies(1 << 20);
        var first = new Reader(Queries[0], bodies);
        first.Read(records, 50, startsEarlier: 0);
        var second = new Reader(Queries[1], bodies);
        second.Read(records, 50, startsEarlier: 0);
        Assert.That(second.Found, Is.Zero, "nothing was decoded for it");

        first.Read(records, 50, startsEarlier: 0);
        second.Read(records, 50, startsEarlier: 0);
        Assert.That((first.Found, second.Found), Is.EqualTo((0, 50)));
        second.Leave();
        first.Read(records, 50, startsEarlier: 0);
        second.Read(records, 50, startsEarlier: 0);
        Assert.That((first.Found, second.Found), Is.EqualTo((0, 50)));
    }

    [Test]
    public void One_that_is_far_behind_decodes_alone_and_takes_part_again_when_it_has_caught_up()
    {
        var records = Plain(2_000);
        var bodies = new SharedBodies(1 << 20);
        Reader ahead = new(Queries[0], bodies), behind = new(Queries[1], bodies);
        for (var at = 0; at < 1_000; at += 10) ahead.Read(records, 10, startsEarlier: 0);
        while (behind.At < 900) behind.Read(records, 100, startsEarlier: 0);
        Assert.That(behind.Found, Is.Zero);
        behind.Read(records, 100, startsEarlier: 0);
        var before = behind.Found;
        for (var at = 1_000; at < 2_000; at += 10)
        {
            ahead.Read(records, 10, startsEarlier: 0);
            behind.Read(records, 10, startsEarlier: 0);
        }

        Assert.That(behind.Found - before, Is.GreaterThan(700), "but for some batches until that is seen to be of use");
        behind.AnsweredAsAlone(records);
    }

    [Test]
    public void A_number_that_does_not_fit_fails_the_record_of_who_reads_it_and_of_nobody_else()
    {
        var records = new List<byte[]> { Encoding.UTF8.GetBytes("""{"x":1,"s":99999999999999999999}""") };
        var bodies = new SharedBodies(1 << 20);
        Reader reads = new("SELECT s FROM telemetry", bodies), other = new("SELECT x FROM telemetry", bodies);
        reads.Read(records, 1, startsEarlier: 0);
        other.Read(records, 1, startsEarlier: 0);
        reads.AnsweredAsAlone(records);
        other.AnsweredAsAlone(records);
        Assert.That(other.Rows, Is.EqualTo(new[] { """{"x":1}""" }));
    }

    [Test]
    public void Nothing_is_allocated_for_an_event()
    {
        var bodies = new SharedBodies(1 << 20);
        var engines = new[] { "x > 1000", "s = 'none'", "LEN(s) > 100" }.Select(condition =>
        {
            var plan = QueryRun.Compile($"SELECT x FROM telemetry WHERE {condition}");
            var engine = new QueryEngine(plan, new QueryEngineOptions("q", 1), [Source], new QueryRun(plan));
            return (Engine: engine, Lease: engine.Share(Zero, bodies));
        }).ToList();
        var records = Plain(20_000);
        var allocated = Enumerable.Range(0, 400).Select(i => Batch(records, i * 50, 50)).Chunk(100)
            .Select(Answer).ToList();

        // The least of them: what an event costs, all have. On a busy machine one stretch once had 5 kB more.
        Assert.That(allocated.Min(), Is.LessThan(100 * 50), "less than a byte an event");
        Assert.That(engines.Sum(one => one.Lease.RowsFound), Is.EqualTo(2 * 20_000));

        long Answer(RecordBatch[] some)
        {
            var before = GC.GetAllocatedBytesForCurrentThread();
            foreach (var batch in some)
            {
                foreach (var (engine, _) in engines) engine.Process(batch);
            }

            return GC.GetAllocatedBytesForCurrentThread() - before;
        }
    }

    private static List<byte[]> Plain(int count) => [.. Enumerable.Range(0, count)
        .Select(i => Encoding.UTF8.GetBytes($$"""{"x":{{i % 10}},"s":"t\u0041{{i % 3}}","y":[1,2]}"""))];

    /// <summary>Bodies as devices send them, and as they should not.</summary>
    private static byte[] Body(Random random)
    {
        var depth = random.Next(59, 68);
        var deep = new StringBuilder().Insert(0, """{"deep":""", depth - 1) + "1" + new string('}', depth - 1);
        var x = random.Next(10);
        var text = random.Next(16) switch
        {
            0 => $$"""  {"x":{{x}},"s":"t\u0041\n{{x % 3}}"} """,
            1 => $$"""{"X":{{x}},"x":{{x + 1}},"S":"{{x}}"}""",
            2 => $$"""{"x":{{x}},"X":"again","x":null}""",
            3 => $$$"""{"a":{"b":{"c":{{{x}}},"C":7}},"A":3,"x":2.5}""",
            4 => $$"""{"a":{{x}},"s":true,"x":"{{x}}"}""",
            5 => $$"""{"a":{"b":[1,{"c":2}]},"list":[{{x}},"\"",{}],"x":{{x}}}""",
            6 => $$"""{"big":{{new string('9', random.Next(17, 22))}},"x":{{x}}}""",
            7 => """{"big":1e999,"s":"a"}""",
            8 => deep,
            9 => $$"""[{"x":{{x}},"s":"b"},{"s":1},5,{"x":1e999}]""",
            10 => "{\"x\":1",
            11 => $$"""{"x":01,"s":"a"}""",
            12 => "no object",
            13 => $$"""{"t":"2026-01-01T00:00:00.0{{x}}0Z","s":"ü{{x}}"}""",
            14 => """{"esc\u0061ped":1,"\u0078":4,"s":"\ud83d\ude00"}""",
            _ => $$"""{"x":{{x}},"s":"t{{x % 3}}","list":null,"a":{"b":{{x}}} }""",
        };
        var bytes = Encoding.UTF8.GetBytes(text);
        if (random.Next(30) == 0) bytes[random.Next(bytes.Length)] = 0xFF;
        return bytes;
    }

    private static RecordBatch Batch(List<byte[]> records, int first, int count)
    {
        using var builder = new RecordBatchBuilder();
        for (var i = first; i < first + count; i++)
        {
            builder.Begin(StartMs + i, Encoding.UTF8.GetBytes($"d{i % 5}"));
            builder.End(records[i]);
        }

        return new RecordBatch(Zero, first, count, builder.Bytes.ToArray());
    }

    private sealed class Throwing : IQueryRowSink
    {
        public void Row(in QueryRow row) => throw new InvalidOperationException("no room");

        public void Failed(in QueryRowFailure failure) => throw new InvalidOperationException("no room");

        public void Dropped(TopicPartition source, long offset, int element, bool isLate) =>
            throw new InvalidOperationException("no room");
    }

    /// <summary>A query at its own pace.</summary>
    private sealed class Reader
    {
        private readonly QueryPlan _plan;
        private readonly QueryRun _run;
        private readonly QueryEngine _engine;
        private SharedLease _lease;
        private long _foundBefore;

        public Reader(string query, SharedBodies bodies)
        {
            _plan = QueryRun.Compile(query);
            _run = new QueryRun(_plan);
            _engine = new QueryEngine(_plan, new QueryEngineOptions("q", 1), [Source], _run);
            _lease = _engine.Share(Zero, bodies);
        }

        public int At { get; private set; }

        public long Found => _foundBefore + _lease.RowsFound;

        public IEnumerable<string> Rows => _run.Json;

        public void JoinAgain(SharedBodies bodies)
        {
            _foundBefore = Found;
            Leave();
            _lease = _engine.Share(Zero, bodies);
        }

        public void Leave() => _lease.Dispose();

        /// <summary>The next records, and some that it has read already.</summary>
        public void Read(List<byte[]> records, int count, int startsEarlier)
        {
            var first = Math.Max(0, At - startsEarlier);
            At = Math.Min(records.Count, At + count);
            if (At > first) _engine.Process(Batch(records, first, At - first));
        }

        public void AnsweredAsAlone(List<byte[]> records)
        {
            _engine.Complete();
            var alone = new QueryRun(_plan);
            var engine = new QueryEngine(_plan, new QueryEngineOptions("q", 1), [Source], alone);
            engine.Process(Batch(records, 0, At));
            engine.Complete();
            Assert.That(_run.Rows, Is.EqualTo(alone.Rows), _plan.Text);
            Assert.That(_run.Failures, Is.EqualTo(alone.Failures), _plan.Text);
            Assert.That((_engine.RowsIn, _engine.RowsTaken), Is.EqualTo((engine.RowsIn, engine.RowsTaken)));
        }
    }
}
