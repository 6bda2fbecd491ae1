using System.Buffers;
using System.Globalization;
using System.Text;
using Millrace.Contracts;
using Millrace.Saql.Extensions;
using Millrace.Saql.Models;

namespace Millrace.Saql.Tests;

/// <summary>
/// Random records through one engine, and through the two stages of a query that is answered by key: places of both
/// crash anywhere, are read in any order, and stale ones send on.
/// </summary>
internal sealed class RepartitionScenario
{
    private const long FarAheadMs = 4_000_000;

    /// <summary>What "rooms" is: of r1 there are two, of r3 is none.</summary>
    private static readonly byte[][] Rooms =
    [
        .. new[] { ("r0", 3), ("r1", 0), ("r1", 6), ("r2", 5) }.Select(room =>
            Encoding.UTF8.GetBytes($$"""{"id":"{{room.Item1}}","floor":{{room.Item2}}}""")),
    ];

    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly Random _random;
    private readonly int _partitions;
    private readonly QueryPlan _plan;
    private readonly QueryPlan _older; // As programs before sent its rows: with all columns on each route.
    private readonly QueryEngineOptions _options;
    private readonly List<QuerySource> _sources;
    private readonly Dictionary<TopicPartition, List<byte[]>> _records = [];
    private readonly List<(TopicPartition Source, long Offset, long ArrivalMs)> _marks = [];
    private readonly List<(TopicPartition Source, long Offset, LateRecord Record)> _late = [];
    private readonly List<byte[]>[] _between;
    private readonly HashSet<(int Source, long Offset, int Element, int Route)> _sent = [];

    private readonly bool _isCalm;
    private readonly bool _isOpen;

    /// <param name="isCalm">Nothing crashes.</param>
    /// <param name="isOpen">Records may still come behind those that there are.</param>
    /// <param name="hasTimelines">Whether substreams have timelines in the second stage; by chance by default.</param>
    /// <param name="functions">Those that the query calls.</param>
    public RepartitionScenario(
        int seed, string query, bool isCalm = false, bool tellsOnEachRoute = false, bool isOpen = false,
        bool? hasTimelines = null, IReadOnlyList<UserFunction>? functions = null)
    {
        (_isCalm, _isOpen) = (isCalm, isOpen);
        _random = new Random(seed);
        _partitions = _random.Next(2, 5);
        var compiling = new CompileOptions(References: ["rooms"], Extensions: new QueryExtensions(functions ?? [],
            new Dictionary<string, IBodyDecoder>(), new Dictionary<string, string>(), []));
        (_plan, _older) = (QueryRun.Compile(query, compiling), QueryRun.Compile(query, compiling));
        foreach (var route in _older.Parts.Feeds.SelectMany(feed => _older.Repartition?.RoutesOf(feed) ?? []))
            route.Sent = Enumerable.Range(0, route.Feed.Input.SlotCount).ToHashSet();
        _options = new QueryEngineOptions("q", 1)
        {
            LateTolerance = TimeSpan.FromMilliseconds(_random.Next(3) * 2_500),
            OutOfOrderTolerance = TimeSpan.FromMilliseconds(_random.Next(3) * 1_500),
            DropOutOfOrder = _random.Next(2) == 0,
            TellsOnEachRoute = tellsOnEachRoute,
            HasTimelinesByKey = hasTimelines ?? _random.Next(2) == 0,
        };
        _sources = [.. _plan.Inputs.SelectMany(input => Enumerable.Range(0, _partitions)
            .Select(p => new QuerySource(input, new TopicPartition(input, p), 0, input == "telemetry")))];
        _between = [.. Enumerable.Range(0, _partitions).Select(_ => new List<byte[]>())];
        foreach (var source in _sources) Fill(source.Partition);
    }

    public RepartitionAnswers InOnePlace()
    {
        var answers = new RepartitionAnswers(_plan);
        var engine = Scoring(new QueryEngine(_plan, _options, _sources, answers));
        if (_plan.References.Count > 0) engine.SetReference("rooms", Rooms);
        Decide(engine, _ => true);
        foreach (var source in _sources.OrderBy(_ => _random.Next()))
            engine.Process(Batch(source.Partition, _records[source.Partition], 0, _records[source.Partition].Count));
        return answers;
    }

    public RepartitionAnswers InTwoStages()
    {
        var answers = new RepartitionAnswers(_plan);
        var dealers = Enumerable.Range(0, _partitions).Select(p => new DealerLife(this, p, answers)).ToList();
        var targets = Enumerable.Range(0, _partitions).Select(p => new TargetLife(this, p, answers)).ToList();
        while (dealers.Exists(one => !one.IsDone) || targets.Exists(one => !one.IsDone))
        {
            var at = _random.Next(_partitions);
            if (_random.Next(2) == 0) dealers[at].Step();
            else targets[at].Step();
        }

        return answers;
    }

    /// <summary>On how many routes the rows of one event went at most.</summary>
    public int TimesSent => _sent.GroupBy(row => (row.Source, row.Offset, row.Element)).Max(row => row.Count());

    private void Fill(TopicPartition source)
    {
        var records = _records[source] = [];
        var time = (long)_random.Next(3_000);
        for (var left = _random.Next(40); left > 0; left--)
        {
            time += _random.Next(4) == 0 ? 0 : _random.Next(1_200);
            if (_random.Next(12) == 0) _marks.Add((source, records.Count, Ms(time + _random.Next(3_000))));
            if (records.Count > 0 && _random.Next(9) == 0)
                _late.Add((source, records.Count, Late(source, records.Count, time)));
            var device = $"d{source.Partition}-{_random.Next(3)}";
            records.Add(Record(time, _random.Next(20) == 0 ? null : device, _random.Next(15) switch
            {
                0 => "no JSON",
                1 => $"[{Body(time)},{Body(time)}]",
                _ => Body(time),
            }));
        }

        if (!_isOpen) _marks.Add((source, records.Count, Ms(FarAheadMs)));
    }

    /// <summary>Of an element that no record and no other letter has.</summary>
    private LateRecord Late(TopicPartition source, int position, long time)
    {
        var element = 2 + _late.Count;
        var elements = Enumerable.Repeat("0", element).Append(Body(time));
        var bytes = Record(time, "late", $"[{string.Join(',', elements)}]");
        return new LateRecord(new RecordBatch(source, _random.Next(position), 1, bytes), element);
    }

    private string Body(long time)
    {
        // Some are of one instant.
        var at = Start.AddMilliseconds(
            ((time - _random.Next(3_000)) / 250 * 250) + (_random.Next(30) == 0 ? 302_000 : 0));
        var v = _random.Next(9) switch { 0 => "null", 1 => "\"2\"", 2 => "3.0", _ => $"{_random.Next(9)}" };
        return $$"""
            {"v":{{v}},"room":"r{{_random.Next(4)}}","site":{{_random.Next(3)}},"list":[{{_random.Next(3)}},7],
            "at":"{{at.ToString("O", CultureInfo.InvariantCulture)}}"}
            """;
    }

    private static byte[] Record(long time, string? device, string body)
    {
        using var record = new RecordBatchBuilder();
        record.Begin(Ms(time), Encoding.UTF8.GetBytes(device ?? ""), device is not null);
        record.End(Encoding.UTF8.GetBytes(body));
        return record.Bytes.ToArray();
    }

    private static long Ms(long time) => Start.ToUnixTimeMilliseconds() + time;

    private static RecordBatch Batch(TopicPartition source, List<byte[]> records, int from, int to) => new(
        source, from, to - from, records[from..to].SelectMany(bytes => bytes).ToArray());

    /// <summary>What was decided of the sources; an engine that has been there before knows a part.</summary>
    private void Decide(QueryEngine engine, Func<TopicPartition, bool> isRead)
    {
        foreach (var (source, offset, arrival) in _marks.Where(mark => isRead(mark.Source)))
            engine.Mark(source, offset, arrival);
        foreach (var source in _sources.Select(source => source.Partition).Where(isRead))
        {
            foreach (var (_, offset, record) in _late.Where(late => late.Source == source)
                .Skip(engine.LateTaken(source)))
                engine.Late(source, offset, record);
        }
    }

    private static byte[] StateOf(QueryEngine engine)
    {
        var state = new ArrayBufferWriter<byte>();
        engine.Save(state);
        return state.WrittenSpan.ToArray();
    }

    private static QueryEngine Restored(QueryEngine engine, byte[]? state)
    {
        if (state is null) return Scoring(engine);
        engine.Restore(state);
        if (!StateOf(engine).AsSpan().SequenceEqual(state)) throw new InvalidOperationException("another state");
        return Scoring(engine);
    }

    private static QueryEngine Scoring(QueryEngine engine)
    {
        foreach (var model in engine.ModelVersions.Keys) engine.SetModel(model, new Wear());
        return engine;
    }

    /// <summary>A model that knows no even number.</summary>
    private sealed class Wear : IModelScorer
    {
        public int Version => 1;

        public double Score(ReadOnlySpan<float> features) =>
            features[0] % 2 == 0 ? throw new ArgumentException("It is even.") : features[0];
    }

    /// <summary>A place of the first stage over its lives.</summary>
    private sealed class DealerLife(RepartitionScenario scenario, int place, RepartitionAnswers answers) : IRowDealer
    {
        private readonly List<(int Target, byte[] Value)> _made = [];
        private QueryEngine? _engine;
        private byte[]? _state;
        private long _epoch;
        private bool _isStale;

        public bool IsDone { get; private set; }

        public void Step()
        {
            var random = scenario._random;
            if (_engine is null) Begin();
            var left = _engine!.Positions.Where(p => p.Offset < scenario._records[p.Partition].Count).ToList();
            if (left.Count > 0)
            {
                var (source, offset) = left[random.Next(left.Count)];
                var records = scenario._records[source];
                _engine.Process(Batch(source, records, (int)offset,
                    Math.Min(records.Count, (int)offset + random.Next(1, 6))));
            }

            // A crash leaves what it had sent to some places so far.
            var crashes = !scenario._isCalm && !IsDone && random.Next(6) == 0;
            foreach (var target in Enumerable.Range(0, scenario._partitions).OrderBy(_ => random.Next()))
            {
                if (crashes && random.Next(2) == 0) continue;
                foreach (var (_, value) in _made.Where(made => made.Target == target))
                    scenario._between[target].Add(value);
            }

            _made.Clear();
            if (crashes) _engine = null;
            else if (left.Count == 0) IsDone = true;
            else if (random.Next(4) == 0) _state = StateOf(_engine);
        }

        public void Row(int source, long offset, int ordinal, uint? hash, ReadOnlySpan<byte> row, bool isLate)
        {
            scenario._sent.Add((source, BitConverter.ToInt64(row[8..]), BitConverter.ToInt32(row[16..]),
                BitConverter.ToInt32(row[20..])));
            Add(TargetOf(hash), new RepartitionRecord(RepartitionKind.Row, place, _epoch, source, offset, ordinal),
                row);
        }

        private int TargetOf(uint? hash) => hash is { } known
            ? Partitioner.PartitionOf(BitConverter.GetBytes(known), scenario._partitions)
            : place;

        public void Passed(
            int source, int feed, long offset, uint? hash, ReadOnlySpan<byte> substream, long ticks)
        {
            byte[] body = [.. BitConverter.GetBytes(feed), .. BitConverter.GetBytes(ticks), .. substream];
            Add(TargetOf(hash), new RepartitionRecord(RepartitionKind.Passed, place, _epoch, source, offset), body);
        }

        public void Watermark(int source, int feed, long offset, long ticks)
        {
            var body = BitConverter.GetBytes(feed).Concat(BitConverter.GetBytes(ticks)).ToArray();
            for (var target = 0; target < scenario._partitions; target++)
                Add(target, new RepartitionRecord(RepartitionKind.Watermark, place, _epoch, source, offset), body);
        }

        private void Begin()
        {
            _isStale = _epoch > 0 && scenario._random.Next(2) == 0;
            _epoch++;
            for (var target = 0; target < scenario._partitions; target++)
                Add(target, new RepartitionRecord(RepartitionKind.Fence, place, _epoch), default);
            Deliver();
            if (_isStale) SendStale();
            var plan = scenario._random.Next(2) == 0 ? scenario._plan : scenario._older;
            _engine = Restored(QueryEngine.ForDealer(
                plan, scenario._options, scenario._sources, place, this, answers), _state);
            scenario.Decide(_engine, source => source.Partition == place);
        }

        /// <summary>One that knows of no epoch but its own says whatever it likes.</summary>
        private void SendStale()
        {
            for (var target = 0; target < scenario._partitions; target++)
            {
                var body = new byte[12];
                BitConverter.TryWriteBytes(body.AsSpan(4), long.MaxValue - 1);
                foreach (var source in scenario._sources.Select((_, rank) => rank))
                    Add(target, new RepartitionRecord(
                        RepartitionKind.Watermark, place, _epoch - 1, source, 1_000), body);
            }

            Deliver();
        }

        private void Deliver()
        {
            foreach (var (target, value) in _made) scenario._between[target].Add(value);
            _made.Clear();
        }

        private void Add(int target, RepartitionRecord head, ReadOnlySpan<byte> body)
        {
            var value = new byte[RepartitionRecord.Bytes + body.Length];
            head.Write(value);
            body.CopyTo(value.AsSpan(RepartitionRecord.Bytes));
            using var record = new RecordBatchBuilder();
            record.Begin(0, default, hasKey: false);
            record.AddHeader(OutputHeaders.Query, "q/1"u8);
            record.End(value);
            _made.Add((target, record.Bytes.ToArray()));
        }
    }

    /// <summary>A place of the second stage over its lives.</summary>
    private sealed class TargetLife(RepartitionScenario scenario, int place, RepartitionAnswers answers)
    {
        private readonly TopicPartition _source = new("repartition.q", place);
        private QueryEngine? _engine;
        private byte[]? _state;

        private List<byte[]> Records => scenario._between[place];

        public bool IsDone => _engine?.Positions[0].Offset == Records.Count;

        public void Step()
        {
            var random = scenario._random;
            if (_engine is null) Begin();
            var engine = _engine!;
            var from = (int)engine.Positions[0].Offset;
            if (from < Records.Count)
                engine.Process(Batch(_source, Records, from, Math.Min(Records.Count, from + random.Next(1, 30))));
            if (random.Next(4) == 0) _state = StateOf(engine);
            if (!scenario._isCalm && random.Next(12) == 0) _engine = null;
        }

        /// <summary>What it joins with is part of the state.</summary>
        private void Begin()
        {
            _engine = Restored(QueryEngine.ForTarget(scenario._plan, scenario._options, scenario._sources,
                new QuerySource("", _source, 0), answers), _state);
            if (_state is null && scenario._plan.References.Count > 0) _engine.SetReference("rooms", Rooms);
        }
    }
}
