namespace Millrace.Saql.Engine;

/// <summary>
/// Timelines of substreams whose rows come by several feeds: of several inputs, or of several partitions. Rows are
/// taken in the order of arrival over all sources, so that nobody can see which source was read first. Within its
/// substream a row waits until none of the feeds can give an earlier one: until the substream has come as far there, or
/// the late tolerance has passed it.
/// </summary>
internal sealed class MergedLanesState : LanesState
{
    private readonly EngineContext _context;
    private readonly FeedState[] _feeds;
    private readonly RootState[] _roots;
    private readonly ArrivalQueue[] _sources;

    /// <summary>Of each feed.</summary>
    private readonly (ArrivalQueue Queue, Group Group, int Member)[] _ways;
    private readonly Group[] _groups;
    private readonly Func<Substream, bool> _isHeld;
    private readonly long _late;
    private readonly long _outOfOrder;

    /// <summary>No row has an earlier time than this any more.</summary>
    private long _watermark = long.MinValue;

    /// <param name="roots">The input at work of each feed.</param>
    /// <param name="operators">In an order in which none reads a later one.</param>
    public MergedLanesState(
        EngineContext context, FeedState[] feeds, RootState[] roots, OperatorState[] operators,
        AnalyticState[] analytics) : base(context, roots, operators, analytics)
    {
        (_context, _feeds, _roots) = (context, feeds, roots);
        (_late, _outOfOrder) = (context.Options.LateTolerance.Ticks, context.Options.OutOfOrderTolerance.Ticks);
        _sources = [.. feeds.GroupBy(feed => feed.Source).OrderBy(source => source.Key)
            .Select(source => new ArrivalQueue(source.Key, [.. source], Chunks))];
        // Rows of different partitions never meet in a plan that is answered by partition.
        var groups = feeds.GroupBy(feed => context.SeparatesPartitions ? context.Sources[feed.Source].Partition : 0)
            .ToDictionary(group => group.Key, group => (Group: new Group([.. group]), Feeds: group.ToList()));
        _groups = [.. groups.OrderBy(group => group.Key).Select(group => group.Value.Group)];
        _ways = [.. feeds.Select(feed => groups.Values.First(group => group.Feeds.Contains(feed))).Zip(feeds).Select(
            one => (_sources.First(source => source.Source == one.Second.Source), one.First.Group,
                one.First.Feeds.IndexOf(one.Second)))];
        _isHeld = IsHeld;
        foreach (var feed in feeds) feed.ForgetsAtOnce = false;
    }

    public override bool IsWaiting => base.IsWaiting || Array.Exists(_sources, source => source.Count > 0);

    public override long StateBytes
    {
        get
        {
            var bytes = base.StateBytes;
            foreach (var feed in _feeds) bytes += feed.StateBytes;
            foreach (var group in _groups) bytes += group.Substreams.StateBytes;
            foreach (var source in _sources) bytes += source.StateBytes;
            return bytes;
        }
    }

    public override long Watermark => _feeds.Min(feed => feed.Watermark);

    public override bool AwaitsMark(FeedState feed, long arrival)
    {
        if (Array.IndexOf(_feeds, feed) < 0) return false;
        var due = NextDue == long.MaxValue ? long.MaxValue : NextDue + _late;
        if (Earliest() is { } queue) due = Math.Min(due, queue.First.Arrival);
        return due < arrival && feed.Arrival < arrival
            && (feed.Arrival <= due || feed.Arrival < _feeds.Max(one => one.Arrival));
    }

    public override void Take(int feed)
    {
        var (queue, group, _) = _ways[feed];
        var arrival = queue.Arrival;
        var substream = group.Substreams.Use(_feeds[feed].LastKey, arrival);
        var lane = substream.Lane ??= NewLane(waits: true, group.Sources.Length);
        if (lane.Bytes == 0) Count(lane);
        var row = RowHeap.Keep(Chunks, _context.Frame.Origin, feed, _roots[feed].Slots);
        queue.Push(new ArrivedRow(arrival, substream, row));
    }

    /// <summary>What has arrived on all sources goes on.</summary>
    public override void Release()
    {
        var last = Last();
        var arrival = last.Arrival;
        while (Earliest() is { } queue && (queue.First.Arrival < arrival
            || (queue.First.Arrival == arrival && queue.Source <= last.Source)))
            TakeArrived(queue.Pop());
        if (arrival == long.MinValue) return;
        CloseAt(arrival);
        foreach (var feed in _feeds) feed.Forget();
        foreach (var group in _groups)
            group.Substreams.RemoveUpTo(arrival - _late - FeedState.EarlyTolerance, arrival, _isHeld);
    }

    public override void Complete()
    {
        while (Earliest() is { } queue) TakeArrived(queue.Pop());
        base.Complete();
    }

    public override void Save(StateWriter writer)
    {
        foreach (var feed in _feeds) feed.Save(writer);
        SaveShared(writer);
        foreach (var group in _groups) SaveSubstreams(writer, group.Substreams);
        foreach (var source in _sources) source.Save(writer);
    }

    public override void Restore(ref StateReader reader)
    {
        foreach (var feed in _feeds) feed.Restore(ref reader);
        var orders = RestoreShared(ref reader);
        foreach (var group in _groups) RestoreSubstreams(ref reader, group.Substreams, group.Sources.Length);
        EndRestore(orders);
        foreach (var source in _sources)
        {
            source.Restore(ref reader, _context.Sources.Length, _feeds.Length,
                (key, feed) => _ways[feed].Group.Substreams.Find(key));
        }

        var arrival = Last().Arrival;
        _watermark = arrival == long.MinValue ? arrival : arrival - _late;
    }

    /// <summary>The source that has come least far.</summary>
    private ArrivalQueue Last()
    {
        var last = _sources[0];
        foreach (var source in _sources)
        {
            if (source.Arrival < last.Arrival) last = source;
        }

        return last;
    }

    /// <summary>The source of the row that arrived first; null when none waits.</summary>
    private ArrivalQueue? Earliest()
    {
        ArrivalQueue? earliest = null;
        foreach (var source in _sources)
        {
            if (source.Count == 0) continue;
            if (earliest is null || source.First.Arrival < earliest.First.Arrival) earliest = source;
        }

        return earliest;
    }

    private void TakeArrived(in ArrivedRow arrived)
    {
        CloseAt(arrived.Arrival);
        var (_, group, member) = _ways[arrived.Row.Feed];
        var lane = arrived.Substream.Lane!;
        var waiting = lane.Waiting!;
        ref var watermark = ref lane.Watermarks[member];
        watermark = Math.Max(watermark, arrived.Row.Timestamp - _outOfOrder);
        Enter(lane);
        waiting.Push(arrived.Row);
        var time = Frontier(lane, group, out var source);
        if (time != long.MinValue) ReleaseUpTo(waiting, time, source);
        Settle(lane);
    }

    /// <summary>All sources have arrived here, and what the late tolerance has passed is closed.</summary>
    private void CloseAt(long arrival)
    {
        if (arrival == long.MinValue || arrival - _late <= _watermark) return;
        _watermark = arrival - _late;
        // A row of this very time may come still, of a source that goes before those whose rows wait.
        CloseUpTo(Lane.DueOfRow(_watermark) - 1);
    }

    /// <summary>The least (time, source) that may come in the substream: rows up to it can go on.</summary>
    private long Frontier(Lane lane, Group group, out int source)
    {
        var time = long.MaxValue;
        source = int.MaxValue;
        for (var i = 0; i < lane.Watermarks.Length; i++)
        {
            var (own, rank) = lane.Watermarks[i] < _watermark
                ? (_watermark, -1)
                : (lane.Watermarks[i], group.Sources[i]);
            if (own < time || (own == time && rank < source)) (time, source) = (own, rank);
        }

        return time;
    }

    private bool IsHeld(Substream substream)
    {
        var lane = substream.Lane!;
        return lane.Arriving > 0 || IsHeld(lane, _watermark);
    }

    /// <summary>Feeds whose rows of one key are of one substream.</summary>
    private sealed class Group(FeedState[] feeds)
    {
        /// <summary>Those of the feeds.</summary>
        public int[] Sources { get; } = [.. feeds.Select(feed => feed.Source)];

        public KeyTable<Substream> Substreams { get; } = new(new Spares<Substream>());
    }
}
