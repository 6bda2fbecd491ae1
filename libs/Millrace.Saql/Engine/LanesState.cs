using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// The operators of one input whose substreams have timelines of their own: a row closes what is due before it in its
/// own substream, and what no row came to close is closed when the input's watermark has passed it. All substreams
/// share the operators, which change from the memory of one to that of another.
/// </summary>
internal sealed class LanesState : RowTaker
{
    private const int LaneBytes = 160;
    private const int MemoryBytes = 250;

    private readonly EngineContext _context;
    private readonly FeedState _feed;
    private readonly Value[] _slots;
    private readonly RootState _root;
    private readonly RememberingState[] _shared;
    private readonly RememberingState[] _remembering;
    private readonly Schedule _schedule;
    private readonly LaneQueue _queue = new();
    private readonly RowChunks _chunks = new();
    private readonly Func<Substream, bool> _isHeld;

    /// <summary>The lane whose memories the operators work on.</summary>
    private Lane? _current;
    private long _orders;
    private int _waitingLanes;
    private long _bytes;

    /// <param name="slots">Where the input puts a row.</param>
    /// <param name="root">
    /// The input at work. Where rows wait it has slots of its own, because the input's may be needed again.
    /// </param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    public LanesState(
        EngineContext context, FeedState feed, Value[] slots, RootState root, OperatorState[] operators,
        AnalyticState[] analytics)
    {
        (_context, _feed, _slots, _root) = (context, feed, slots, root);
        RememberingState[] parts = [.. operators, .. analytics];
        _shared = [.. parts.Where(part => part.NewMemory() is null)];
        _remembering = [.. parts.Except(_shared)];
        _schedule = new Schedule(operators);
        _isHeld = IsHeld;
        feed.ForgetsAtOnce = false;
    }

    public override bool IsWaiting => _waitingLanes > 0;

    public override long StateBytes
    {
        get
        {
            var bytes = _feed.StateBytes + _bytes;
            foreach (var part in _shared) bytes += part.StateBytes;
            return bytes;
        }
    }

    public override long Watermark => _feed.Watermark;

    public override bool Has(OperatorState one) => _schedule.Has(one);

    public override void NextDueChanged() => _schedule.Refresh();

    public override void Take(int feed)
    {
        var substream = _feed.LastJudged;
        var lane = substream.Lane ??= NewLane();
        Enter(lane);
        if (lane.Waiting is not { } waiting) TakeInOrder();
        else
        {
            waiting.Push(_context.Frame.Origin, feed, _slots);
            ReleaseUpTo(waiting, Math.Max(substream.Watermark, _feed.Watermark));
        }

        Settle(lane);
    }

    /// <summary>
    /// What the watermark has passed is closed, in all substreams in the order of its time. Nobody may see whether that
    /// is done once or in steps, so that it may be done whenever no row is at hand.
    /// </summary>
    public override void Release()
    {
        if (_feed.Watermark == long.MinValue) return;
        CloseUpTo(Lane.DueOfRow(_feed.Watermark));
        _feed.Forget(_isHeld);
    }

    public override void Complete() => CloseUpTo(Lane.Never - 1);

    public override void Save(StateWriter writer)
    {
        _feed.Save(writer);
        foreach (var part in _shared) part.Save(writer);
        writer.Write(_orders);
        foreach (var substream in _feed.Substreams)
        {
            writer.Write(substream.Lane is null ? 0 : 1);
            if (substream.Lane is not { } lane) continue;
            writer.Write(lane.Order);
            lane.Waiting?.Save(writer);
            Enter(lane);
            foreach (var part in _remembering) part.Save(writer);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _queue.Clear();
        (_current, _waitingLanes, _bytes) = (null, 0, 0);
        _feed.Restore(ref reader);
        foreach (var part in _shared) part.Restore(ref reader);
        var orders = reader.ReadInt64();
        foreach (var substream in _feed.Substreams)
        {
            substream.Lane = null;
            if (reader.ReadInt32() == 0) continue;
            var lane = substream.Lane = NewLane();
            lane.Order = _orders = reader.ReadInt64();
            lane.Waiting?.Restore(ref reader, _context.Sources.Length, feeds: 1);
            Enter(lane);
            foreach (var part in _remembering) part.Restore(ref reader);
            Settle(lane);
        }

        _orders = orders;
    }

    private Lane NewLane() => new(
        [.. _remembering.Select(part => part.NewMemory()!)], _feed.IsOrderedWithin ? null : new RowHeap(_chunks));

    private void Enter(Lane lane)
    {
        if (lane == _current) return;
        _current = lane;
        for (var i = 0; i < _remembering.Length; i++) _remembering[i].Enter(lane.Memories[i]);
        _schedule.Refresh();
    }

    private void TakeInOrder()
    {
        var time = _context.Frame.Origin.Timestamp;
        if (_schedule.NextDue < time) _schedule.CloseBefore(time);
        _root.Dispatch();
    }

    private void ReleaseUpTo(RowHeap waiting, long time)
    {
        while (waiting.Count > 0 && waiting.First.Timestamp <= time) TakeWaiting(waiting);
        _schedule.CloseBefore(time);
    }

    private void TakeWaiting(RowHeap waiting)
    {
        var used = _context.Frame.Arena.Used;
        var row = waiting.Pop();
        var device = RowHeap.Read(row, _root.Slots);
        _context.Frame.Origin = row.OriginOf(device);
        TakeInOrder();
        _context.Frame.Arena.WindBack(used);
    }

    private void CloseUpTo(long due)
    {
        while (_queue.FirstUpTo(due) is { } lane)
        {
            Enter(lane);
            var time = lane.Due / 2;
            if (lane.Due == Lane.DueOfRow(time)) ReleaseUpTo(lane.Waiting!, time);
            else _schedule.CloseBefore(time + 1);
            Settle(lane);
        }
    }

    /// <summary>The operators have worked on the lane.</summary>
    private void Settle(Lane lane)
    {
        Count(lane);
        var due = DueOf(lane);
        if (due == lane.Due) return;
        if (lane.Due == Lane.Never)
        {
            _waitingLanes++;
            lane.Order = _orders++;
        }

        if (due == Lane.Never) _waitingLanes--;
        lane.Due = due;
        _queue.Changed(lane);
    }

    private long DueOf(Lane lane)
    {
        var close = Lane.DueOfClose(_schedule.NextDue);
        return lane.Waiting is { Count: > 0 } waiting ? Math.Min(close, Lane.DueOfRow(waiting.First.Timestamp)) : close;
    }

    private void Count(Lane lane)
    {
        var bytes = LaneBytes + (lane.Memories.Length * MemoryBytes) + (lane.Waiting?.StateBytes ?? 0);
        foreach (var memory in lane.Memories) bytes += memory.StateBytes;
        _bytes += bytes - lane.Bytes;
        lane.Bytes = bytes;
    }

    /// <summary>Whether a substream that can be forgotten still keeps something that a row may see.</summary>
    private bool IsHeld(Substream substream)
    {
        if (substream.Lane is not { } lane) return false;
        var isHeld = !lane.IsEmptyAt(_feed.Watermark);
        if (isHeld) Count(lane);
        else
        {
            _bytes -= lane.Bytes;
            lane.Bytes = 0;
        }

        return isHeld;
    }
}
