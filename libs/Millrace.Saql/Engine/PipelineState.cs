namespace Millrace.Saql.Engine;

/// <summary>
/// Inputs and operators that share a timeline. Rows of several sources wait until no source can give an earlier one;
/// rows of a single ordered source go straight on, as do those of substreams when nothing looks at several rows. Before
/// a row is taken, what is due before it is closed.
/// </summary>
internal sealed class PipelineState : RowTaker, ISentRowTaker
{
    private readonly EngineContext _context;
    private readonly FeedState[] _feeds;
    private readonly RootState[] _roots;
    private readonly OperatorState[] _operators;
    private readonly Schedule _schedule;
    private readonly RowHeap _waiting = new(new RowChunks());
    private readonly bool _isDirect;

    /// <param name="roots">
    /// Where a row goes, by the number that it is taken with: the input at work of each feed, or of each of its routes.
    /// </param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    public PipelineState(EngineContext context, FeedState[] feeds, RootState[] roots, OperatorState[] operators)
    {
        _context = context;
        _feeds = feeds;
        _roots = roots;
        _operators = operators;
        _schedule = new Schedule(operators);
        _isDirect = feeds is [var feed] && (feed.IsOrdered
            || (feed.IsOrderedWithin && operators.Length == 0 && feed.Plan.Analytics.Count == 0));
    }

    public override bool IsWaiting => _waiting.Count > 0 || _operators.Any(one => one.IsWaiting);

    public override long StateBytes
    {
        get
        {
            var bytes = _waiting.StateBytes;
            foreach (var feed in _feeds) bytes += feed.StateBytes;
            foreach (var one in _operators) bytes += one.StateBytes;
            return bytes;
        }
    }

    public override long Watermark => _feeds.Length == 0 ? long.MinValue : _feeds.Min(feed => feed.Watermark);

    public override bool AwaitsMark(FeedState feed, long arrival)
    {
        if (Array.IndexOf(_feeds, feed) < 0) return false;
        var due = _waiting.Count > 0 ? Math.Min(_waiting.First.Timestamp, _schedule.NextDue) : _schedule.NextDue;
        return feed.IsHolding(due, _feeds.Max(one => one.Watermark), arrival);
    }

    public override bool Has(OperatorState one) => _schedule.Has(one);

    public override void NextDueChanged() => _schedule.Refresh();

    public override void Take(int feed)
    {
        if (_isDirect) TakeInOrder(feed);
        else _waiting.Push(_context.Frame.Origin, feed, _roots[feed].Slots);
    }

    public void Take(in RowOrigin origin, int root, ReadOnlySpan<byte> row) => _waiting.Push(origin, root, row);

    /// <summary>All substreams share a timeline.</summary>
    public void Passed(int feed, ReadOnlySpan<byte> substream, long watermark)
    {
    }

    /// <summary>What waited goes on when it is told to.</summary>
    public void WatermarkRose()
    {
    }

    /// <summary>What waited for the watermark goes on.</summary>
    public override void Release()
    {
        var frontier = Frontier(out var source);
        if (frontier == long.MinValue) return;
        while (_waiting.Count > 0)
        {
            ref readonly var first = ref _waiting.First;
            if (first.Timestamp > frontier || (first.Timestamp == frontier && first.Source > source)) break;
            TakeWaiting();
        }

        _schedule.CloseBefore(frontier);
    }

    public override void Complete()
    {
        while (_waiting.Count > 0) TakeWaiting();
        _schedule.CloseBefore(long.MaxValue);
    }

    public override void Save(StateWriter writer)
    {
        foreach (var feed in _feeds) feed.Save(writer);
        _waiting.Save(writer);
        foreach (var one in _operators) one.Save(writer);
    }

    public override void Restore(ref StateReader reader)
    {
        foreach (var feed in _feeds) feed.Restore(ref reader);
        _waiting.Restore(ref reader, _context.Sources.Length, _roots.Length);
        foreach (var one in _operators) one.Restore(ref reader);
        NextDueChanged();
    }

    private void TakeWaiting()
    {
        var row = _waiting.Pop();
        var root = _roots[row.Feed];
        var device = RowHeap.Read(row, root.Slots);
        _context.Frame.Origin = row.OriginOf(device);
        TakeInOrder(row.Feed);
        _context.Frame.Arena.WindBack(0);
    }

    private void TakeInOrder(int feed)
    {
        var time = _context.Frame.Origin.Timestamp;
        if (_schedule.NextDue < time) _schedule.CloseBefore(time);
        _roots[feed].Dispatch();
    }

    /// <summary>The least (watermark, source): rows up to it can go on.</summary>
    private long Frontier(out int source)
    {
        var watermark = long.MaxValue;
        source = int.MaxValue;
        foreach (var feed in _feeds)
        {
            if (feed.Watermark > watermark || (feed.Watermark == watermark && feed.Source >= source)) continue;
            watermark = feed.Watermark;
            source = feed.Source;
        }

        return watermark;
    }
}
