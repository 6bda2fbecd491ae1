using System.Buffers;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>
/// A random stream of one partition whose rooms lag behind one another, with marks, late records, gaps after which
/// rooms are forgotten, and arrays of events.
/// </summary>
internal sealed class LaneScenario
{
    public static readonly TopicPartition Zero = new("telemetry", 0);

    public static readonly string[] References = ["places"];

    private static readonly byte[][] Places =
    [
        .. Enumerable.Range(0, 4).Select(room =>
            Encoding.UTF8.GetBytes($"{{\"room\":\"r{room}\",\"floor\":{room / 2}}}")),
    ];

    private readonly Random _random;
    private readonly List<(long EnqueuedMs, string Body)> _records = [];
    private readonly List<(long Offset, long ArrivalMs)> _marks = [];
    private readonly List<(long Offset, LateRecord Record)> _late = [];
    private readonly QueryEngineOptions _options;

    public LaneScenario(int seed)
    {
        _random = new Random(seed);
        _options = new QueryEngineOptions("q", 1)
        {
            LateTolerance = TimeSpan.FromMilliseconds(_random.Next(4) * 2_500),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(Math.Max(0, _random.Next(5) - 2) * 1_500),
            DropOutOfOrder = _random.Next(2) == 0,
        };
        var rooms = _random.Next(1, 6);
        var lags = Enumerable.Range(0, rooms).Select(_ => _random.Next(8_000)).ToArray();
        var time = 1_000_000L;
        var count = _random.Next(5, 60);
        var failed = new Queue<int>();
        for (var offset = 0; offset < count; offset++)
        {
            time += _random.Next(30) == 0 ? 400_000 : _random.Next(3) == 0 ? 0 : _random.Next(2_500);
            if (_random.Next(10) == 0) _marks.Add((offset, time + _random.Next(3_000)));
            var elements = _random.Next(8) == 0 ? _random.Next(4) : 1;
            var bodies = Enumerable.Range(0, elements).Select(_ => Body(time, rooms, lags)).ToList();
            var body = elements == 1 ? bodies[0] : $"[{string.Join(',', bodies)}]";
            if (_random.Next(8) == 0)
            {
                body = "no JSON";
                failed.Enqueue(offset);
            }

            _records.Add((time, body));
            if (failed.Count > 0 && _random.Next(6) == 0)
            {
                var late = Batch(failed.Dequeue(), time, Body(time, rooms, lags));
                _late.Add((offset + 1, new LateRecord(late, -1)));
            }
        }
    }

    /// <summary>The whole partition at once.</summary>
    public QueryRun Undisturbed(QueryPlan plan) =>
        Run(plan, run => Begin(plan, run), () => _records.Count, restores: false);

    /// <summary>In random batches.</summary>
    public QueryRun InBatches(QueryPlan plan) =>
        Run(plan, run => Begin(plan, run), () => _random.Next(1, 6), restores: false);

    /// <summary>In random batches, saved and restored in between.</summary>
    public QueryRun Restored(QueryPlan plan) =>
        Run(plan, run => Begin(plan, run), () => _random.Next(1, 4), restores: true);

    private QueryEngine Begin(QueryPlan plan, QueryRun run)
    {
        var engine = new QueryEngine(plan, _options, [new QuerySource("telemetry", Zero, 0)], run);
        engine.SetReference(References[0], Places);
        return engine;
    }

    private QueryRun Run(QueryPlan plan, Func<QueryRun, QueryEngine> begin, Func<int> next, bool restores)
    {
        var run = new QueryRun(plan);
        var engine = begin(run);
        var (marks, late) = (_marks.ToList(), _late.ToList());
        for (var from = 0; from < _records.Count;)
        {
            var count = Math.Min(next(), _records.Count - from);
            Tell(engine, from + count, marks, late);
            engine.Process(new RecordBatch(Zero, from, count, Bytes(_records[from..(from + count)])));
            from += count;
            if (restores && !engine.AwaitsLate(Zero) && _random.Next(3) == 0) engine = Again(engine, begin(run));
        }

        Tell(engine, long.MaxValue, marks, late);
        engine.Complete();
        return run;
    }

    /// <summary>A mark or a late record is known before the record at its offset is read.</summary>
    private static void Tell(
        QueryEngine engine, long before, List<(long Offset, long ArrivalMs)> marks,
        List<(long Offset, LateRecord Record)> late)
    {
        foreach (var (offset, arrival) in marks.Where(mark => mark.Offset < before)) engine.Mark(Zero, offset, arrival);
        marks.RemoveAll(mark => mark.Offset < before);
        foreach (var (offset, record) in late.Where(one => one.Offset < before)) engine.Late(Zero, offset, record);
        late.RemoveAll(one => one.Offset < before);
    }

    private static QueryEngine Again(QueryEngine engine, QueryEngine fresh)
    {
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        fresh.Restore(state.WrittenSpan);
        Assert.That(fresh.WatermarkMs, Is.EqualTo(engine.WatermarkMs));
        Assert.That(fresh.AwaitsWatermark, Is.EqualTo(engine.AwaitsWatermark));
        var again = new ArrayBufferWriter<byte>();
        fresh.Save(again);
        Assert.That(again.WrittenSpan.SequenceEqual(state.WrittenSpan));
        return fresh;
    }

    private string Body(long time, int rooms, int[] lags)
    {
        var room = _random.Next(rooms);
        var at = time - lags[room] + _random.Next(-1_500, 1_500) + (_random.Next(25) == 0 ? 302_000 : 0);
        var x = _random.Next(6) == 0 ? "" : $"\"x\":{_random.Next(8)},";
        var ts = DateTimeOffset.FromUnixTimeMilliseconds(Math.Max(0, at / 500 * 500)).UtcDateTime;
        return $"{{{x}\"room\":\"r{room}\",\"ts\":\"{ts:yyyy-MM-ddTHH:mm:ss.fffffffZ}\"}}";
    }

    private static RecordBatch Batch(long offset, long time, string body) =>
        new(Zero, offset, 1, Bytes([(time, body)]));

    private static byte[] Bytes(List<(long EnqueuedMs, string Body)> records)
    {
        using var builder = new RecordBatchBuilder();
        foreach (var (time, body) in records)
        {
            builder.Begin(time, "d1"u8);
            builder.End(Encoding.UTF8.GetBytes(body));
        }

        return builder.Bytes.ToArray();
    }
}
