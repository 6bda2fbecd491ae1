using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// Timelines of the substreams of one feed. A row goes on at once where rows of a substream come in order.
/// </summary>
internal sealed class FeedLanesState : LanesState
{
    private readonly EngineContext _context;
    private readonly FeedState _feed;
    private readonly Value[] _slots;
    private readonly Func<Substream, bool> _isHeld;

    /// <param name="slots">Where the input puts a row.</param>
    /// <param name="root">
    /// The input at work. Where rows wait it has slots of its own, because the input's may be needed again.
    /// </param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    public FeedLanesState(
        EngineContext context, FeedState feed, Value[] slots, RootState root, OperatorState[] operators,
        AnalyticState[] analytics) : base(context, [root], operators, analytics)
    {
        (_context, _feed, _slots) = (context, feed, slots);
        _isHeld = substream => _feed.IsAhead(substream)
            || (substream.Lane is { } lane && IsHeld(lane, _feed.Watermark));
        feed.ForgetsAtOnce = false;
    }

    public override long StateBytes => base.StateBytes + _feed.StateBytes;

    public override long Watermark => _feed.Watermark;

    public override bool AwaitsMark(FeedState feed, long arrival) =>
        feed == _feed && feed.IsHolding(NextDue, feed.Watermark, arrival);

    public override void Take(int feed)
    {
        var substream = _feed.LastJudged;
        var lane = substream.Lane ??= NewLane();
        Enter(lane);
        if (lane.Waiting is not { } waiting) TakeInOrder(feed);
        else
        {
            waiting.Push(_context.Frame.Origin, feed, _slots);
            ReleaseUpTo(waiting, Math.Max(substream.Watermark, _feed.Watermark), int.MaxValue);
        }

        Settle(lane);
    }

    public override void Release()
    {
        if (_feed.Watermark == long.MinValue) return;
        CloseUpTo(Lane.DueOfRow(_feed.Watermark));
        _feed.Forget(_isHeld);
    }

    public override void Save(StateWriter writer)
    {
        _feed.Save(writer);
        SaveShared(writer);
        foreach (var substream in _feed.Substreams)
        {
            writer.Write(substream.Lane is null ? 0 : 1);
            if (substream.Lane is { } lane) Save(writer, lane);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _feed.Restore(ref reader);
        var orders = RestoreShared(ref reader);
        foreach (var substream in _feed.Substreams)
        {
            substream.Lane = null;
            if (reader.ReadInt32() == 0) continue;
            Restore(ref reader, substream.Lane = NewLane());
        }

        EndRestore(orders);
    }

    private Lane NewLane() => NewLane(waits: !_feed.IsOrderedWithin);
}
