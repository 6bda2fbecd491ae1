using Millrace.Saql.Expressions;

namespace Millrace.Saql.Engine;

/// <summary>
/// Timelines of substreams where rows come from a first stage. Rows are taken as they stand between the stages, so that
/// nobody can see how they are cut into batches. Within its substream a row waits until none of the feeds can give an
/// earlier one: until the substream has come as far there, or the first stage has passed it for all.
/// </summary>
internal sealed class SentLanesState : LanesState, ISentRowTaker
{
    private readonly EngineContext _context;
    private readonly FeedState[] _feeds;
    private readonly RootState[] _roots;
    private readonly Expr[][] _over;
    private readonly KeyWriter _key = new();
    private readonly KeyTable<Substream> _substreams = new(new Spares<Substream>());
    private readonly Func<Substream, bool> _isHeld;
    private readonly long _outOfOrder;

    /// <summary>No row has an earlier time than this any more.</summary>
    private long _watermark = long.MinValue;

    /// <param name="roots">The input at work of each feed.</param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    public SentLanesState(
        EngineContext context, FeedState[] feeds, RootState[] roots, OperatorState[] operators,
        AnalyticState[] analytics) : base(context, roots, operators, analytics)
    {
        (_context, _feeds, _roots) = (context, feeds, roots);
        _over = [.. feeds.Select(feed => feed.Plan.Over.ToArray())];
        _outOfOrder = context.Options.OutOfOrderTolerance.Ticks;
        _isHeld = IsHeld;
    }

    public override long StateBytes
    {
        get
        {
            var bytes = base.StateBytes + _substreams.StateBytes;
            foreach (var feed in _feeds) bytes += feed.StateBytes;
            return bytes;
        }
    }

    public override long Watermark => _feeds.Min(feed => feed.Watermark);

    public override void Take(int feed) => throw new InvalidOperationException("Rows come from a first stage.");

    public void Take(in RowOrigin origin, int root, ReadOnlySpan<byte> row)
    {
        var kept = RowHeap.Keep(Chunks, origin, root, row);
        var frame = _context.Frame;
        RowHeap.Read(kept, _roots[root].Slots);
        (frame.Slots, frame.Origin) = (_roots[root].Slots, origin);
        frame.NextRow();
        _key.TryWrite(_over[root], frame, false);
        frame.Arena.WindBack(0);
        var lane = LaneOf(_key.Written);
        lane.Waiting!.Push(kept);
        Advance(lane, root, origin.Timestamp - _outOfOrder);
    }

    public void Passed(int feed, ReadOnlySpan<byte> substream, long watermark) =>
        Advance(LaneOf(substream), feed, watermark);

    public void WatermarkRose()
    {
        var watermark = Watermark;
        if (watermark <= _watermark) return;
        _watermark = watermark;
        // A row of this very time may come still, of a source that goes before those whose rows wait.
        CloseUpTo(Lane.DueOfRow(_watermark) - 1);
        _substreams.RemoveUpTo(_watermark - FeedState.EarlyTolerance, _watermark, _isHeld);
    }

    /// <summary>Nothing waits for the end of a batch.</summary>
    public override void Release()
    {
    }

    public override void Save(StateWriter writer)
    {
        foreach (var feed in _feeds) feed.Save(writer);
        SaveShared(writer);
        SaveSubstreams(writer, _substreams);
    }

    public override void Restore(ref StateReader reader)
    {
        foreach (var feed in _feeds) feed.Restore(ref reader);
        var orders = RestoreShared(ref reader);
        RestoreSubstreams(ref reader, _substreams, _feeds.Length);
        EndRestore(orders);
        _watermark = Watermark;
    }

    private Lane LaneOf(ReadOnlySpan<byte> key)
    {
        var substream = _substreams.Use(key, _watermark);
        var lane = substream.Lane ??= NewLane(waits: true, _feeds.Length);
        if (lane.Bytes == 0) Count(lane);
        return lane;
    }

    private void Advance(Lane lane, int feed, long watermark)
    {
        lane.Watermarks[feed] = Math.Max(lane.Watermarks[feed], watermark);
        Enter(lane);
        var time = Frontier(lane, out var source);
        if (time != long.MinValue) ReleaseUpTo(lane.Waiting!, time, source);
        Settle(lane);
    }

    /// <summary>The least (time, source) that may come in the substream: rows up to it can go on.</summary>
    private long Frontier(Lane lane, out int source)
    {
        var time = long.MaxValue;
        source = int.MaxValue;
        for (var i = 0; i < _feeds.Length; i++)
        {
            var own = Math.Max(lane.Watermarks[i], _feeds[i].Watermark);
            if (own < time || (own == time && _feeds[i].Source < source)) (time, source) = (own, _feeds[i].Source);
        }

        return time;
    }

    private bool IsHeld(Substream substream) => IsHeld(substream.Lane!, _watermark);
}
