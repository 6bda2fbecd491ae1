using System.Buffers.Binary;
using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The end of a query's first stage: a row that is read and has its time goes to the place of its key, and where its
/// input has several routes to that of each route's key, unless nobody there would take it.
/// </summary>
internal sealed class DealState : RowTaker
{
    /// <summary>Before the row's values: time, offset, element, route.</summary>
    public const int HeadBytes = RouteAt + sizeof(int);

    public const int RouteAt = 20;

    private readonly EngineContext _context;
    private readonly FeedState[] _feeds;
    private readonly Way[][] _ways;
    private readonly Dictionary<int, Source> _sources;
    private readonly IRowDealer _dealer;
    private readonly long[] _told;

    /// <summary>Of each feed whose substreams have timelines; else null.</summary>
    private readonly KeyTable<Passage>?[] _passages;
    private byte[] _row = new byte[256];
    private Value[] _values = [];

    public DealState(
        EngineContext context, IReadOnlyList<FeedState> feeds, IReadOnlyList<SourceState> sources, IRowDealer dealer)
    {
        (_context, _dealer) = (context, dealer);
        _feeds = [.. feeds];
        var plan = context.Plan.Repartition!;
        _ways = [.. feeds.Select(feed => plan.RoutesOf(feed.Plan).Select(route => new Way(route)).ToArray())];
        _sources = sources.ToDictionary(source => source.Rank, source => new Source(source));
        _told = [.. feeds.Select(_ => long.MinValue)];
        var spares = new Spares<Passage>();
        _passages = [.. feeds.Select(feed => context.Options.HasTimelinesByKey && feed.Plan.HasTimelinesByKey
            ? new KeyTable<Passage>(spares) : null)];
    }

    public override long Watermark => _feeds.Length == 0 ? long.MinValue : _feeds.Min(feed => feed.Watermark);

    public override bool AwaitsMark(FeedState feed, long arrival) =>
        Array.IndexOf(_feeds, feed) >= 0 && feed.IsHolding(feed.Watermark, feed.Watermark, arrival);

    public override void Take(int feed)
    {
        var frame = _context.Frame;
        ref readonly var origin = ref frame.Origin;
        var source = _sources[origin.Source];
        foreach (var way in _ways[feed])
        {
            // Also where it is not sent, so that a version whose conditions differ numbers rows alike.
            source.Count();
            if (!way.IsTaken(frame))
            {
                Pass(feed, way);
                continue;
            }

            var hash = way.HashOf(frame);
            var size = Write(frame, way);
            _dealer.Row(origin.Source, source.Offset, source.Ordinal, hash, _row.AsSpan(0, size),
                _context.TakesLate);
        }
    }

    public override void Release()
    {
        for (var i = 0; i < _feeds.Length; i++)
        {
            var feed = _feeds[i];
            var position = _sources[feed.Source].Position;
            if (_passages[i] is { Count: > 0 } passages)
            {
                foreach (var one in passages.InOrder)
                    _dealer.Passed(feed.Source, feed.Plan.Number, position, one.Hash, one.Key, one.Watermark);
                passages.RemoveUpTo(Passage.Now);
            }

            if (feed.Watermark == _told[i]) continue;
            _told[i] = feed.Watermark;
            _dealer.Watermark(feed.Source, feed.Plan.Number, position, feed.Watermark);
        }
    }

    public override void Save(StateWriter writer)
    {
        foreach (var feed in _feeds) feed.Save(writer);
        foreach (var source in _sources.Values)
        {
            writer.Write(source.Offset);
            writer.Write(source.Ordinal);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        foreach (var feed in _feeds) feed.Restore(ref reader);
        foreach (var source in _sources.Values)
            (source.Offset, source.Ordinal) = (reader.ReadInt64(), reader.ReadInt32());
    }

    /// <summary>The row is not sent, but its substream has come to its time.</summary>
    private void Pass(int feed, Way way)
    {
        if (_passages[feed] is not { } passages) return;
        var passage = passages.Use(_feeds[feed].LastKey, Passage.Now);
        (passage.Hash, passage.Watermark) = (way.HashOf(_context.Frame), _feeds[feed].LastJudged.Watermark);
    }

    /// <summary>The row as the route sends it.</summary>
    private int Write(Frame frame, Way way)
    {
        ref readonly var origin = ref frame.Origin;
        if (_values.Length < frame.Slots.Length) _values = new Value[frame.Slots.Length];
        var values = _values.AsSpan(0, frame.Slots.Length);
        for (var i = 0; i < values.Length; i++) values[i] = way.Sends(i) ? frame.Slots[i] : Value.Null;
        var size = HeadBytes + RowHeap.SizeOf(origin, values);
        if (_row.Length < size) _row = new byte[size * 2];
        BinaryPrimitives.WriteInt64LittleEndian(_row, origin.Timestamp);
        BinaryPrimitives.WriteInt64LittleEndian(_row.AsSpan(8), origin.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(_row.AsSpan(16), origin.Element);
        BinaryPrimitives.WriteInt32LittleEndian(_row.AsSpan(RouteAt), way.Route);
        RowHeap.Write(_row.AsSpan(HeadBytes), origin, values);
        return size;
    }

    /// <summary>Numbers the rows made at each position of a source; late ones come before the record there.</summary>
    private sealed class Source(SourceState state)
    {
        public long Position => state.Position;

        public long Offset { get; set; } = -1;

        public int Ordinal { get; set; }

        public void Count()
        {
            if (Offset == state.Position) Ordinal++;
            else (Offset, Ordinal) = (state.Position, 0);
        }
    }

    /// <summary>How far a substream has come by rows that were not sent, until it is told.</summary>
    private sealed class Passage : KeyEntry
    {
        /// <summary>All that is told at once counts as of one time.</summary>
        public const long Now = 0;

        public uint? Hash { get; set; }

        public long Watermark { get; set; }

        protected override void Forget()
        {
        }
    }

    /// <summary>Where rows go on one route.</summary>
    private sealed class Way(RoutePlan route)
    {
        private readonly Expr[][] _filters =
        [
            .. route.Outputs.Select(output => output.Filters), .. route.Inlets.Select(inlet => inlet.Filters),
        ];

        private readonly bool[] _sends =
            [.. Enumerable.Range(0, route.Feed.Input.SlotCount).Select(route.Sent.Contains)];

        public int Route => route.Number;

        public bool Sends(int slot) => _sends[slot];

        /// <summary>Whether somebody takes the row. A function with OVER sees every row.</summary>
        public bool IsTaken(Frame frame) => route.Analytics.Count > 0 || IsWanted(frame);

        /// <summary>Of its key; null when it has none, or one that fails where the row is answered.</summary>
        public uint? HashOf(Frame frame)
        {
            uint? hash = null;
            frame.ClearFailure();
            if (route.Keys is { } keys)
            {
                LookupHash.TryOf(keys, frame, out var found);
                if (frame.Failure is null) hash = found;
            }

            frame.ClearFailure();
            return hash;
        }

        /// <summary>One of those at the route's end takes the row, or fails at it, which is told where it is
        /// answered.</summary>
        private bool IsWanted(Frame frame)
        {
            foreach (var filters in _filters)
            {
                frame.ClearFailure();
                var passed = 0;
                while (passed < filters.Length && filters[passed].Test(frame) == Truth.True) passed++;
                if (passed == filters.Length || frame.Failure is not null) return true;
            }

            return false;
        }
    }
}
