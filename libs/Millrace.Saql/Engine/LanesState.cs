namespace Millrace.Saql.Engine;

/// <summary>
/// Operators of rows whose substreams have timelines of their own: a row closes what is due before it in its own
/// substream, and what no row came to close is closed when time has passed it for all. All substreams share the
/// operators, which change from the memory of one to that of another.
/// </summary>
internal abstract class LanesState : RowTaker
{
    private const int LaneBytes = 160;
    private const int MemoryBytes = 250;

    private readonly EngineContext _context;
    private readonly RootState[] _roots;
    private readonly RememberingState[] _shared;
    private readonly RememberingState[] _remembering;
    private readonly Schedule _schedule;
    private readonly LaneQueue _queue = new();

    /// <summary>The lane whose memories the operators work on.</summary>
    private Lane? _current;
    private long _orders;
    private int _waitingLanes;
    private long _bytes;

    /// <param name="roots">
    /// The input at work of each feed. Where rows wait while others are read they have slots of their own.
    /// </param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    protected LanesState(
        EngineContext context, RootState[] roots, OperatorState[] operators, AnalyticState[] analytics)
    {
        (_context, _roots) = (context, roots);
        RememberingState[] parts = [.. operators, .. analytics];
        _shared = [.. parts.Where(part => part.NewMemory() is null)];
        _remembering = [.. parts.Except(_shared)];
        _schedule = new Schedule(operators);
    }

    public override bool IsWaiting => _waitingLanes > 0;

    public override long StateBytes
    {
        get
        {
            var bytes = _bytes;
            foreach (var part in _shared) bytes += part.StateBytes;
            return bytes;
        }
    }

    protected RowChunks Chunks { get; } = new();

    /// <summary>When the first of what waits in the substreams is due; long.MaxValue when nothing waits.</summary>
    protected long NextDue => _queue.FirstUpTo(Lane.Never - 1) is { } lane ? lane.Due / 2 : long.MaxValue;

    public override bool Has(OperatorState one) => _schedule.Has(one);

    public override void NextDueChanged() => _schedule.Refresh();

    public override void Complete() => CloseUpTo(Lane.Never - 1);

    /// <param name="waits">Its rows may wait for one another.</param>
    /// <param name="feeds">How many feeds give its rows, where time is to be known of each.</param>
    protected Lane NewLane(bool waits, int feeds = 0) => new(
        [.. _remembering.Select(part => part.NewMemory()!)], waits ? new RowHeap(Chunks) : null, feeds);

    protected void Enter(Lane lane)
    {
        if (lane == _current) return;
        _current = lane;
        for (var i = 0; i < _remembering.Length; i++) _remembering[i].Enter(lane.Memories[i]);
        _schedule.Refresh();
    }

    protected void TakeInOrder(int feed)
    {
        var time = _context.Frame.Origin.Timestamp;
        if (_schedule.NextDue < time) _schedule.CloseBefore(time);
        _roots[feed].Dispatch();
    }

    /// <summary>What waits up to (time, source) goes on, and what is due before the time is closed.</summary>
    protected void ReleaseUpTo(RowHeap waiting, long time, int source)
    {
        while (waiting.Count > 0 && (waiting.First.Timestamp < time
            || (waiting.First.Timestamp == time && waiting.First.Source <= source)))
            TakeWaiting(waiting);
        _schedule.CloseBefore(time);
    }

    /// <summary>
    /// Closes what is due, in all substreams in the order of its time. Nobody may see whether that is done once or in
    /// steps, so that it may be done whenever no row is at hand.
    /// </summary>
    protected void CloseUpTo(long due)
    {
        while (_queue.FirstUpTo(due) is { } lane)
        {
            Enter(lane);
            var time = lane.Due / 2;
            if (lane.Due == Lane.DueOfRow(time)) ReleaseUpTo(lane.Waiting!, time, int.MaxValue);
            else _schedule.CloseBefore(time + 1);
            Settle(lane);
        }
    }

    /// <summary>The operators have worked on the lane.</summary>
    protected void Settle(Lane lane)
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

    /// <summary>What the lane keeps counts, from now on or as it is now.</summary>
    protected void Count(Lane lane)
    {
        var bytes = LaneBytes + (lane.Memories.Length * MemoryBytes) + (lane.Waiting?.StateBytes ?? 0);
        foreach (var memory in lane.Memories) bytes += memory.StateBytes;
        _bytes += bytes - lane.Bytes;
        lane.Bytes = bytes;
    }

    /// <summary>Whether a substream that can be forgotten still keeps something that a row may see.</summary>
    protected bool IsHeld(Lane lane, long watermark)
    {
        foreach (var own in lane.Watermarks)
        {
            if (own > watermark) return true;
        }

        var isHeld = !lane.IsEmptyAt(watermark);
        if (isHeld) Count(lane);
        else
        {
            _bytes -= lane.Bytes;
            lane.Bytes = 0;
        }

        return isHeld;
    }

    protected void SaveShared(StateWriter writer)
    {
        foreach (var part in _shared) part.Save(writer);
        writer.Write(_orders);
    }

    /// <returns>To be told to <see cref="EndRestore"/>.</returns>
    protected long RestoreShared(ref StateReader reader)
    {
        _queue.Clear();
        (_current, _waitingLanes, _bytes) = (null, 0, 0);
        foreach (var part in _shared) part.Restore(ref reader);
        return reader.ReadInt64();
    }

    protected void EndRestore(long orders) => _orders = orders;

    /// <summary>All of them have a lane.</summary>
    protected void SaveSubstreams(StateWriter writer, KeyTable<Substream> substreams)
    {
        writer.Write(substreams.Count);
        foreach (var substream in substreams.InOrder)
        {
            writer.Write(substream.Key);
            writer.Write(substream.UsedAt);
            foreach (var watermark in substream.Lane!.Watermarks) writer.Write(watermark);
            Save(writer, substream.Lane);
        }
    }

    protected void RestoreSubstreams(ref StateReader reader, KeyTable<Substream> substreams, int feeds)
    {
        substreams.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var key = reader.ReadBytes();
            var substream = substreams.Use(key, reader.ReadInt64());
            var lane = substream.Lane = NewLane(waits: true, feeds);
            for (var i = 0; i < lane.Watermarks.Length; i++) lane.Watermarks[i] = reader.ReadInt64();
            Restore(ref reader, lane);
        }
    }

    protected void Save(StateWriter writer, Lane lane)
    {
        writer.Write(lane.Order);
        lane.Waiting?.Save(writer);
        Enter(lane);
        foreach (var part in _remembering) part.Save(writer);
    }

    /// <summary>The lane is new.</summary>
    protected void Restore(ref StateReader reader, Lane lane)
    {
        lane.Order = _orders = reader.ReadInt64();
        lane.Waiting?.Restore(ref reader, _context.Sources.Length, _roots.Length);
        Enter(lane);
        foreach (var part in _remembering) part.Restore(ref reader);
        Settle(lane);
    }

    private void TakeWaiting(RowHeap waiting)
    {
        var used = _context.Frame.Arena.Used;
        var row = waiting.Pop();
        var device = RowHeap.Read(row, _roots[row.Feed].Slots);
        _context.Frame.Origin = row.OriginOf(device);
        TakeInOrder(row.Feed);
        _context.Frame.Arena.WindBack(used);
    }

    private long DueOf(Lane lane)
    {
        var close = Lane.DueOfClose(_schedule.NextDue);
        return lane.Waiting is { Count: > 0 } waiting ? Math.Min(close, Lane.DueOfRow(waiting.First.Timestamp)) : close;
    }
}
