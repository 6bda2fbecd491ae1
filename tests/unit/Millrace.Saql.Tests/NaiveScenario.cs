using System.Globalization;
using System.Buffers;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>A random stream, and what is asked of it.</summary>
internal sealed class NaiveScenario
{
    private static readonly (long Size, long Hop, long Offset)[] Shapes =
        [(5_000, 5_000, 0), (10_000, 5_000, 0), (5_000, 2_000, 0), (2_000, 5_000, 0), (4_000, 4_000, -1),
            (6_000, 3_000, 1_000), (1, 1, 0)];

    private readonly Random _random;
    private readonly (long Size, long Hop, long Offset) _shape;
    private readonly List<NaiveEvent> _events = [];
    private readonly List<NaiveMark> _marks = [];
    private readonly List<(TopicPartition Source, long Position, LateRecord Record)> _late = [];
    private readonly bool _byEventTime;
    private readonly bool _overRoom;
    private readonly bool _hasGaps;
    private readonly string _key;
    private readonly QueryEngineOptions _options;
    private readonly List<TopicPartition> _sources;
    private readonly bool _alertsByEventTime;
    private readonly NaiveTexts _texts;

    /// <param name="hasAlerts">A second input, whose events come in another order and are late in another way.</param>
    /// <param name="isOverRoom">Each room surely has an order of its own, and may be forgotten.</param>
    public NaiveScenario(int seed, bool hasAlerts = false, bool isOverRoom = false)
    {
        _random = new Random(seed);
        _shape = Shapes[_random.Next(Shapes.Length)];
        _hasGaps = isOverRoom;
        _byEventTime = isOverRoom || _random.Next(3) > 0;
        _key = new[] { "", "room, ", "IoTHub.ConnectionDeviceId, ",
            "room, IoTHub.ConnectionDeviceId, " }[_random.Next(4)];
        _overRoom = isOverRoom || (_byEventTime && _key.Contains("room") && _random.Next(2) == 0);
        _sources = [.. Partitions("telemetry", _random.Next(1, 4))];
        _options = new QueryEngineOptions("q", 1)
        {
            LateTolerance = TimeSpan.FromMilliseconds(_random.Next(3) * 2_500),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(_random.Next(3) * 1_500),
            DropOutOfOrder = _random.Next(2) == 0,
        };
        _texts = new NaiveTexts(_random);
        foreach (var source in _sources) MakePartition(source, 6_000);
        _alertsByEventTime = isOverRoom;
        if (!hasAlerts) return;
        _alertsByEventTime |= _random.Next(3) > 0;
        List<TopicPartition> alerts = [.. Partitions("alerts", _random.Next(1, 3))];
        var lateMs = _random.Next(1, 12) * 1_000;
        foreach (var source in alerts) MakePartition(source, lateMs);
        _sources.AddRange(alerts);
    }

    public string Query =>
        $"WITH s AS (SELECT {_key}COUNT(*) AS n, COUNT(x) AS c, SUM(x) AS s, MIN(x) AS lo, MAX(x) AS hi, AVG(x) " +
            $"AS a, " +
        $"COUNT(DISTINCT x) AS d, ROUND(VARP(x), 10) AS v, Percentile_Disc(0.4) OVER (ORDER BY x) AS p, " +
        $"TopOne(room) OVER (ORDER BY x DESC) AS r, TopOne(room) OVER (ORDER BY CAST(x AS nvarchar(max)) DESC) AS q, " +
        $"System.Timestamp() AS t{_texts.Columns} FROM telemetry {OwnBy} " +
        $"WHERE x IS NULL OR x <> 3 " +
        $"GROUP BY {_key}HoppingWindow(Duration(ms, {_shape.Size}), Hop(ms, {_shape.Hop}), Offset(ms, " +
            $"{_shape.Offset}))) " +
        "SELECT * INTO windows FROM s " +
        "SELECT MAX(n) AS m, COUNT(*) AS k, System.Timestamp() AS t INTO second FROM s GROUP BY " +
            "TumblingWindow(second, 8) " +
        $"SELECT x, System.Timestamp() AS t INTO rows FROM telemetry {OwnBy} " +
        $"SELECT DISTINCT room, x INTO different FROM telemetry {OwnBy}";

    public string By => _byEventTime ? "TIMESTAMP BY ts" : "";

    public bool IsOverRoom => _overRoom;

    /// <summary>Either both inputs have an order of each room's own, or none.</summary>
    public bool IsOverTogether => _overRoom && _alertsByEventTime;

    /// <summary>With an order of each room's own where <see cref="IsOverRoom"/> says so.</summary>
    public string OwnBy => _overRoom ? $"{By} OVER room" : By;

    /// <summary>How a query that has both inputs reads one of them.</summary>
    public string ByOf(string input) => !IsByEventTime(input) ? "" : IsOverTogether ? "TIMESTAMP BY ts OVER room"
        : "TIMESTAMP BY ts";

    /// <summary>The events in the order of a query that reads them so, with their timestamps.</summary>
    public List<(long At, NaiveEvent Event)> Ordered(out int dropped) => Ordered(overRoom: false, out dropped);

    /// <summary>Of a query that reads them as <see cref="OwnBy"/> says.</summary>
    public List<(long At, NaiveEvent Event)> OrderedByOwn(out int dropped) => Ordered(_overRoom, out dropped);

    /// <summary>Of a query that has both inputs.</summary>
    public List<(long At, NaiveEvent Event)> OrderedTogether(out int dropped)
    {
        var telemetry = Ordered("telemetry", IsOverTogether, out var droppedOfTelemetry);
        var alerts = Ordered("alerts", IsOverTogether, out var droppedOfAlerts);
        dropped = droppedOfTelemetry + droppedOfAlerts;
        return Naive.InOrder([.. telemetry, .. alerts]);
    }

    /// <summary>How far a query that reads telemetry as <see cref="OwnBy"/> says has come.</summary>
    /// <param name="read">
    /// Of each source the first offset that was not read, nor a mark or late record there told of.
    /// </param>
    public NaiveProgress ProgressAt(IReadOnlyDictionary<TopicPartition, long> read)
    {
        if (_overRoom) return LanesAt(read, OrderedByOwn(out _), byPartition: false);
        read = new Dictionary<TopicPartition, long>(read);
        var taken = OrderedByOwn(out _).Where(row => row.Event.Position < read[row.Event.Source])
            .ToLookup(row => row.Event.Source);
        var arrived = Arrived(_byEventTime);
        var limit = _sources.Min(source => (WatermarkOf(source), source));
        return new NaiveProgress(e => e.Position < read[e.Source], _ => limit);

        long WatermarkOf(TopicPartition source)
        {
            var arrival = ArrivedUpTo(source, read[source], arrived);
            return !_byEventTime || arrival == long.MinValue ? arrival : Math.Max(arrival - Late,
                taken[source].Select(row => row.At - OutOfOrder).DefaultIfEmpty(long.MinValue).Max());
        }
    }

    /// <summary>The same of a query whose rooms, of each partition or of all, have timelines of their own.</summary>
    public NaiveProgress LanesAt(
        IReadOnlyDictionary<TopicPartition, long> read, List<(long At, NaiveEvent Event)> rows, bool byPartition)
    {
        read = new Dictionary<TopicPartition, long>(read);
        var arrived = Arrived(byEventTime: true);
        var arrivals = arrived.ToDictionary(one => one.Event, one => one.Arrival);
        var common = _sources.Min(source => (ArrivedUpTo(source, read[source], arrived), source));
        var late = common.Item1 == long.MinValue ? long.MinValue : common.Item1 - Late;
        var isSingle = _sources.Count == 1;
        var taken = rows.Where(row => HasArrived(row.Event)).ToList();
        return new NaiveProgress(HasArrived, key => _sources
            .Where(source => !byPartition || source.Partition == key.Partition)
            .Min(source => LimitOf(source, key.Room)));

        bool HasArrived(NaiveEvent e) =>
            e.Position < read[e.Source] && (arrivals[e], e.Source).CompareTo(common) <= 0;

        (long At, TopicPartition Source) LimitOf(TopicPartition source, int room)
        {
            var own = taken.Where(row => row.Event.Source == source && row.Event.Room == room)
                .Select(row => row.At - OutOfOrder).DefaultIfEmpty(long.MinValue).Max();
            // Of several sources any may have a row of the very time that the late tolerance has come to.
            return own >= late ? (own, source) : (late, isSingle ? source : new TopicPartition("", -1));
        }
    }

    /// <summary>Nothing arrives before this any more when records of the source up to an offset are read.</summary>
    private long ArrivedUpTo(TopicPartition source, long end, List<(long Arrival, NaiveEvent Event)> arrived)
    {
        if (end == 0) return long.MinValue;
        var arrivals = arrived.Where(one => one.Event.Source == source && one.Event.Position < end)
            .Select(one => one.Arrival);
        return arrivals.Concat(_marks.Where(mark => mark.Source == source && mark.Offset < end)
            .Select(mark => mark.ArrivalMs * Naive.Ms)).DefaultIfEmpty(0).Max();
    }

    private List<(long Arrival, NaiveEvent Event)> Arrived(bool byEventTime) =>
        Naive.Arrived(_events, _marks, byEventTime);

    private static IEnumerable<TopicPartition> Partitions(string topic, int count) =>
        Enumerable.Range(0, count).Select(partition => new TopicPartition(topic, partition));

    private long Late => _options.LateTolerance.Ticks;

    private long OutOfOrder => _options.OutOfOrderTolerance.Ticks;

    private bool IsByEventTime(string input) => input == "alerts" ? _alertsByEventTime : _byEventTime;

    private List<(long At, NaiveEvent Event)> Ordered(bool overRoom, out int dropped) =>
        Ordered("telemetry", overRoom, out dropped);

    private List<(long At, NaiveEvent Event)> Ordered(string input, bool overRoom, out int dropped) =>
        Naive.Ordered(Arrived(IsByEventTime(input)).Where(one => one.Event.Source.Topic == input),
            IsByEventTime(input), overRoom, Late, OutOfOrder, _options.DropOutOfOrder, out dropped);

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var ordered = Ordered(_overRoom, out dropped);
        var filtered = ordered.Where(row => row.Event.X != 3).Select(row => (row.At, row.Event)).ToList();
        var groups = Naive.Windows(filtered, _shape.Size, _shape.Hop, _shape.Offset, e => (
            _key.Contains("room") ? e.Room : 0, _key.Contains("IoTHub") ? e.Device : ""));
        var counts = groups.Select(group => (group.End, group.Rows.Count)).ToList();
        return new()
        {
            ["windows"] = [.. groups.Select(group => WindowRow(group.End, group.Rows))],
            ["second"] = [.. Naive.Windows(counts, 8_000, 8_000, 0, _ => 0).Select(group => Naive.Row(
                ("m", group.Rows.Max()), ("k", group.Rows.Count), ("t", Naive.Time(group.End))))],
            ["different"] = [.. Naive.Instants(ordered, e => (e.Room, e.X)).Select(group => Naive.Row(
                ("room", group.Rows[0].Room), ("x", group.Rows[0].X)))],
            ["rows"] = [.. ordered.Select(row => Naive.Row(("x", row.Event.X), ("t", Naive.Time(row.At))))],
        };
    }

    /// <summary>Everything at once: no batches, and one engine from the first record to the end.</summary>
    public QueryRun Undisturbed(QueryPlan plan, IReadOnlyList<byte[]>? places = null)
    {
        var run = new QueryRun(plan);
        var engine = Begin(plan, run, places);
        foreach (var source in _sources) Tell(engine, source, 0, long.MaxValue);
        foreach (var source in _sources) engine.Process(Batch(source, 0, EndOf(source)));
        engine.Complete();
        return run;
    }

    /// <param name="places">The entries of the reference data "places".</param>
    /// <param name="between">What is done between batches, with the first offset of each source that was not read.
    /// </param>
    /// <param name="seen">What is looked at between batches.</param>
    public QueryRun Run(
        QueryPlan plan, IReadOnlyList<byte[]>? places = null,
        Action<QueryEngine, IReadOnlyDictionary<TopicPartition, long>>? between = null,
        Action<QueryRun, IReadOnlyDictionary<TopicPartition, long>>? seen = null)
    {
        var run = new QueryRun(plan);
        var engine = Begin(plan, run, places);
        var next = _sources.ToDictionary(source => source, _ => 0L);
        while (true)
        {
            var left = _sources.Where(source => next[source] < EndOf(source)).ToList();
            if (left.Count == 0) break;
            var source = left[_random.Next(left.Count)];
            var count = Math.Min(_random.Next(1, 6), EndOf(source) - next[source]);
            Tell(engine, source, next[source], next[source] + count);
            var again = Math.Max(0, next[source] - _random.Next(3));
            engine.Process(Batch(source, again, next[source] + count));
            next[source] += count;
            between?.Invoke(engine, next);
            seen?.Invoke(run, next);
            if (_random.Next(6) == 0) engine = Restored(engine, plan, run);
        }

        foreach (var source in _sources) Tell(engine, source, next[source], long.MaxValue);
        engine.Complete();
        return run;
    }

    /// <summary>A mark or late record must be known before the record at its offset is read.</summary>
    private void Tell(QueryEngine engine, TopicPartition source, long from, long end)
    {
        var marks = _marks.Where(mark => mark.Source == source && mark.Offset >= from && mark.Offset < end).ToList();
        foreach (var mark in marks.Where(mark => !mark.IsBehindLate)) Mark(mark);
        foreach (var late in _late.Where(one => one.Source == source && one.Position >= from && one.Position < end))
            engine.Late(source, late.Position, late.Record);
        foreach (var mark in marks.Where(mark => mark.IsBehindLate)) Mark(mark);

        void Mark(NaiveMark mark) => engine.Mark(source, mark.Offset, ToMs(mark.ArrivalMs));
    }

    private QueryEngine Begin(QueryPlan plan, QueryRun run, IReadOnlyList<byte[]>? places = null)
    {
        var sources = _sources.Select(source => new QuerySource(source.Topic, source, 0)).ToList();
        var engine = new QueryEngine(plan, _options, sources, run);
        if (places is not null) engine.SetReference("places", places);
        return engine;
    }

    private QueryEngine Restored(QueryEngine engine, QueryPlan plan, QueryRun run)
    {
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        var fresh = Begin(plan, run);
        fresh.Restore(state.WrittenSpan);
        Assert.That(fresh.Positions, Is.EqualTo(engine.Positions));
        Assert.That(fresh.WatermarkMs, Is.EqualTo(engine.WatermarkMs));
        Assert.That(fresh.AwaitsWatermark, Is.EqualTo(engine.AwaitsWatermark));
        var again = new ArrayBufferWriter<byte>();
        fresh.Save(again);
        Assert.That(again.WrittenSpan.SequenceEqual(state.WrittenSpan));
        return fresh;
    }

    private static long ToMs(long ms) => new DateTimeOffset(Naive.Epoch).ToUnixTimeMilliseconds() + ms;

    private long EndOf(TopicPartition source) =>
        _events.Where(e => e.Source == source && e.LateAt is null).Select(e => e.Offset + 1).DefaultIfEmpty(0).Max();

    /// <param name="lateMs">How long events are on their way at most.</param>
    private void MakePartition(TopicPartition source, int lateMs)
    {
        var time = (long)_random.Next(10_000);
        var records = _random.Next(0, 25);
        for (long offset = 0; offset < records; offset++)
        {
            time += _hasGaps && _random.Next(40) == 0 ? 400_000
                : _random.Next(4) == 0 ? 0 : _random.Next(3_000);
            if (_random.Next(12) == 0) AddMark(source, offset, time);
            var enqueued = Math.Max(0, time - _random.Next(2) * _random.Next(500));
            var device = $"d{source.Partition}-{_random.Next(2)}";
            var elements = _random.Next(8) == 0 ? _random.Next(0, 4) : 1;
            for (var element = 0; element < elements; element++)
            {
                var at = enqueued - _random.Next(lateMs) + (_random.Next(20) == 0 ? 302_000 : _random.Next(2_000));
                AddEvent(source, offset, element, device, enqueued, at);
            }
        }

        var end = (int)EndOf(source);
        for (var left = _random.Next(-2, 5); left > 0; left--) MakeLate(source, _random.Next(end + 1));
    }

    /// <summary>Events that failed before: a whole record that had none, or an element that no other has.</summary>
    /// <param name="lateAt">The offset that they are taken before.</param>
    private void MakeLate(TopicPartition source, long lateAt)
    {
        var before = _events.Where(e => e.Source == source && e.LateAt is null && e.Offset < lateAt).ToList();
        var (now, device) = (before.Select(e => e.EnqueuedMs).DefaultIfEmpty(0).Max(), $"d{source.Partition}-0");
        var enqueued = Math.Max(0, now + _random.Next(-20_000, 3_000));
        // One of before the start is there, too.
        var offset = lateAt - 1 - _random.Next((int)lateAt + 1);
        var isWhole = !_events.Exists(e => e.Source == source && e.Offset == offset);
        var (first, count) = isWhole ? (0, _random.Next(1, 4)) : (10 + _late.Count, 1);
        for (var element = first; element < first + count; element++)
        {
            var at = now - _random.Next(12_000) + (_random.Next(10) == 0 ? 302_000 : _random.Next(4_000));
            AddEvent(source, offset, element, device, enqueued, at, lateAt);
        }

        var bodies = Enumerable.Repeat("0", first).Concat(_events.TakeLast(count).Select(e => e.Body));
        using var builder = new RecordBatchBuilder();
        builder.Begin(ToMs(enqueued), Encoding.UTF8.GetBytes(device));
        builder.End(Encoding.UTF8.GetBytes($"[{string.Join(",", bodies)}]"));
        var batch = new RecordBatch(source, offset, 1, builder.Bytes.ToArray());
        _late.Add((source, lateAt, new LateRecord(batch, isWhole ? -1 : first)));
    }

    private void AddMark(TopicPartition source, long offset, long time) =>
        _marks.Add(new NaiveMark(source, offset, time + _random.Next(4_000), _random.Next(2) == 0));

    private void AddEvent(
        TopicPartition source, long offset, int element, string device, long enqueued, long at, long? lateAt = null)
    {
        long? x = _random.Next(6) == 0 ? null : _random.Next(8);
        _events.Add(new NaiveEvent(source, offset, element, device, enqueued, Math.Max(0, at / 500 * 500),
            _random.Next(3), x, NaiveText.Make(_random), NaiveNested.Make(_random), lateAt));
    }

    private RecordBatch Batch(TopicPartition source, long from, long to)
    {
        using var builder = new RecordBatchBuilder();
        for (var offset = from; offset < to; offset++)
        {
            var elements = _events.Where(e => e.Source == source && e.Offset == offset && e.LateAt is null)
                .OrderBy(e => e.Element).ToList();
            var first = elements.FirstOrDefault();
            builder.Begin(ToMs(first?.EnqueuedMs ?? 0), Encoding.UTF8.GetBytes(first?.Device ?? "none"));
            var isArray = elements.Count != 1 || _random.Next(4) == 0;
            builder.End(Encoding.UTF8.GetBytes(isArray ? $" [ {string.Join(" , ", elements.Select(e => e.Body))} ]"
                : first!.Body));
        }

        return new RecordBatch(source, from, (int)(to - from), builder.Bytes.ToArray());
    }

    private string WindowRow(long end, List<NaiveEvent> events)
    {
        var known = events.Where(e => e.X is not null).Select(e => e.X!.Value).ToList();
        var members = new List<(string, object?)>();
        if (_key.Contains("room")) members.Add(("room", events[0].Room));
        if (_key.Contains("IoTHub")) members.Add(("ConnectionDeviceId", events[0].Device));
        members.AddRange(
        [
            ("n", events.Count), ("c", known.Count), ("s", known.Count == 0 ? null : known.Sum()),
            ("lo", known.Count == 0 ? null : known.Min()), ("hi", known.Count == 0 ? null : known.Max()),
            ("a", known.Count == 0 ? null : (double)known.Sum() / known.Count), ("d", known.Distinct().Count()),
            ("v", known.Count == 0 ? null : Math.Round(known.Average(x => Math.Pow(x - known.Average(), 2)), 10)),
            ("p", known.Count == 0 ? null : known.Order().ElementAt((int)Math.Ceiling(0.4 * known.Count) - 1)),
            ("r", events.OrderByDescending(e => e.X ?? long.MinValue).First().Room),
            ("q", events.OrderByDescending(e => e.X?.ToString(CultureInfo.InvariantCulture), StringComparer.Ordinal)
                .First().Room),
            ("t", Naive.Time(end)), .. _texts.Of(events),
        ]);
        return Naive.Row([.. members]);
    }
}
