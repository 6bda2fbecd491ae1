using System.Buffers.Binary;
using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;

namespace Millrace.Saql.Engine;

/// <summary>
/// The end of a query's first stage: a row that is read and has its time goes to the place of its key, unless nobody
/// there would take it.
/// </summary>
internal sealed class DealState : RowTaker
{
    /// <summary>Before the row's values: time, offset, element, feed.</summary>
    public const int HeadBytes = 24;

    private readonly EngineContext _context;
    private readonly FeedState[] _feeds;
    private readonly Way[] _ways;
    private readonly Dictionary<int, Source> _sources;
    private readonly IRowDealer _dealer;
    private readonly long[] _told;
    private byte[] _row = new byte[256];

    public DealState(
        EngineContext context, IReadOnlyList<FeedState> feeds, IReadOnlyList<SourceState> sources, IRowDealer dealer)
    {
        (_context, _dealer) = (context, dealer);
        _feeds = [.. feeds];
        _ways = [.. feeds.Select(feed => new Way(feed.Plan, context.Plan.Repartition!.KeysOf(feed.Plan)))];
        _sources = sources.ToDictionary(source => source.Rank, source => new Source(source));
        _told = [.. feeds.Select(_ => long.MinValue)];
    }

    public override long Watermark => _feeds.Length == 0 ? long.MinValue : _feeds.Min(feed => feed.Watermark);

    public override void Take(int feed)
    {
        var frame = _context.Frame;
        ref readonly var origin = ref frame.Origin;
        var source = _sources[origin.Source];
        source.Count();
        if (!_ways[feed].TryPlace(frame, out var hash)) return;
        var size = HeadBytes + RowHeap.SizeOf(origin, frame.Slots);
        if (_row.Length < size) _row = new byte[size * 2];
        BinaryPrimitives.WriteInt64LittleEndian(_row, origin.Timestamp);
        BinaryPrimitives.WriteInt64LittleEndian(_row.AsSpan(8), origin.Offset);
        BinaryPrimitives.WriteInt32LittleEndian(_row.AsSpan(16), origin.Element);
        BinaryPrimitives.WriteInt32LittleEndian(_row.AsSpan(20), _feeds[feed].Plan.Number);
        RowHeap.Write(_row.AsSpan(HeadBytes), origin, frame.Slots);
        _dealer.Row(origin.Source, source.Offset, source.Ordinal, hash, _row.AsSpan(0, size));
    }

    public override void Release()
    {
        for (var i = 0; i < _feeds.Length; i++)
        {
            var feed = _feeds[i];
            if (feed.Watermark == _told[i]) continue;
            _told[i] = feed.Watermark;
            _dealer.Watermark(feed.Source, feed.Plan.Number, _sources[feed.Source].Position, feed.Watermark);
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

    /// <summary>Where rows of a feed go.</summary>
    private sealed class Way(FeedPlan feed, Expr[]? keys)
    {
        private readonly Expr[][] _filters =
        [
            .. feed.Outputs.Select(output => output.Filters), .. feed.Inlets.Select(inlet => inlet.Filters),
        ];

        /// <summary>False when nobody takes the row.</summary>
        /// <param name="hash">Of its key; null when it has none, or one that fails where the row is answered.</param>
        public bool TryPlace(Frame frame, out uint? hash)
        {
            hash = null;
            // A function with OVER sees every row.
            if (feed.Analytics.Count == 0 && !IsWanted(frame)) return false;
            frame.ClearFailure();
            if (keys is not null)
            {
                LookupHash.TryOf(keys, frame, out var found);
                if (frame.Failure is null) hash = found;
            }

            frame.ClearFailure();
            return true;
        }

        /// <summary>One of those who read the feed takes the row, or fails at it, which is told where it is
        /// answered.</summary>
        private bool IsWanted(Frame frame)
        {
            foreach (var filters in _filters)
            {
                frame.ClearFailure();
                var passed = 0;
                while (passed < filters.Length && filters[passed].Test(frame) == Values.Truth.True) passed++;
                if (passed == filters.Length || frame.Failure is not null) return true;
            }

            return false;
        }
    }
}
