using Millrace.Saql.Expressions;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>What becomes of an event under the time policies.</summary>
internal enum TimeVerdict : byte
{
    Take,

    /// <summary>Ahead of its arrival, late or out of order, and the policy drops it.</summary>
    Drop,

    /// <summary>TIMESTAMP BY gave no time.</summary>
    Fail,
}

/// <summary>The times of a record, in ticks; long.MinValue where there is none.</summary>
/// <param name="Arrival">Given only by lines of a file.</param>
internal readonly record struct RecordTimes(long Enqueued, long Arrival)
{
    public const long None = long.MinValue;
}

/// <summary>
/// One source partition under one choice of timestamps: arrival, policies and watermark. All that comes later has a
/// timestamp at or above the watermark.
/// </summary>
internal sealed class FeedState(FeedPlan plan, int source, QueryEngineOptions options)
{
    /// <summary>An event further ahead of its arrival than this is dropped, whatever the policy.</summary>
    public static readonly long EarlyTolerance = TimeSpan.FromMinutes(5).Ticks;

    private readonly long _late = options.LateTolerance.Ticks;
    private readonly long _outOfOrder = options.OutOfOrderTolerance.Ticks;
    private readonly Expr[] _over = [.. plan.Over];
    private readonly KeyWriter _key = new();

    /// <summary>Where each substream stands; those that the late tolerance has passed are forgotten.</summary>
    private readonly KeyTable<Substream> _substreams = new(new Spares<Substream>());
    private Func<Substream, bool>? _isAhead;

    public FeedPlan Plan => plan;

    /// <summary>The rank of the source among the engine's.</summary>
    public int Source => source;

    public long Arrival { get; private set; } = long.MinValue;

    public long Watermark { get; private set; } = long.MinValue;

    /// <summary>Rows come in the order of their timestamps.</summary>
    public bool IsOrdered => plan.TimestampBy is null || (_outOfOrder == 0 && _over.Length == 0);

    /// <summary>Rows of each substream do.</summary>
    public bool IsOrderedWithin => _outOfOrder == 0;

    /// <summary>About how much its substreams hold.</summary>
    public long StateBytes => _substreams.StateBytes;

    /// <summary>The substream of the row that was judged last.</summary>
    public Substream LastJudged { get; private set; } = new();

    /// <summary>The key of that substream; good until the next row is judged.</summary>
    public ReadOnlySpan<byte> LastKey => _key.Written;

    /// <summary>Those that are known, in the order in which they were used last.</summary>
    public IEnumerable<Substream> Substreams => _substreams.InOrder;

    /// <summary>False: whoever takes the rows says when substreams are forgotten.</summary>
    public bool ForgetsAtOnce { get; set; } = true;

    /// <summary>Nothing arrives before this any more.</summary>
    public void Mark(long arrival)
    {
        Arrival = Math.Max(Arrival, arrival);
        RaiseToArrival();
    }

    /// <summary>
    /// Whether what is due first waits for this feed, or what is due next up to where others stand, and would not after
    /// such a mark.
    /// </summary>
    /// <param name="furthest">The greatest watermark of the feeds that wait for one another.</param>
    public bool IsHolding(long due, long furthest, long arrival)
    {
        var bound = BoundOf(arrival);
        return due < bound && Watermark < bound && (Watermark <= due || Watermark < furthest);
    }

    /// <summary>Whoever reads the source says that nothing earlier comes any more.</summary>
    public void RaiseTo(long watermark) => Watermark = Math.Max(Watermark, watermark);

    /// <summary>Time has not passed it for all. Late records bring it further ahead than any other may be.</summary>
    public bool IsAhead(Substream substream) => substream.Watermark > Watermark;

    /// <summary>Forgets the substreams that the late tolerance has passed, but for those that are still held.</summary>
    /// <param name="isHeld">True of one that is ahead; those alone by default.</param>
    public void Forget(Func<Substream, bool>? isHeld = null) =>
        _substreams.RemoveUpTo(Arrival - _late - EarlyTolerance, Arrival, isHeld ?? (_isAhead ??= IsAhead));

    /// <summary>A record came, before its rows are looked at.</summary>
    public void Arrive(RecordTimes times)
    {
        var arrival = times.Arrival != RecordTimes.None ? times.Arrival : times.Enqueued;
        if (arrival != RecordTimes.None) Mark(arrival);
        else if (plan.TimestampBy is null) Mark(Math.Max(Arrival, DateTime.UnixEpoch.Ticks));
    }

    /// <summary>The timestamp of the row in the frame, whose record arrived.</summary>
    /// <param name="isLate">It failed when it arrived, and comes behind all that came before now.</param>
    public TimeVerdict Judge(RecordTimes times, Frame frame, bool isLate, out long timestamp)
    {
        var floor = isLate ? Watermark + 1 : Watermark;
        if (isLate && plan.TimestampBy is null) Mark(floor);
        timestamp = Arrival;
        foreach (var check in plan.Checks)
        {
            if (check.Test(frame) != Truth.True) return TimeVerdict.Drop;
        }

        if (plan.TimestampBy is null) return TimeVerdict.Take;
        frame.ClearFailure();
        var given = plan.TimestampBy.Evaluate(frame);
        if (frame.Failure is not null) return TimeVerdict.Fail;
        if (!Conversion.TryDateTime(given, out var time))
        {
            frame.Fail(SaqlErrors.BadTimestamp, $"It is {Shown.Of(given)}.");
            return TimeVerdict.Fail;
        }

        timestamp = time.Ticks;
        if (times is { Enqueued: RecordTimes.None, Arrival: RecordTimes.None }) Mark(timestamp);
        if (_over.Length == 0) return Adjust(ref timestamp, floor) ? TimeVerdict.Take : TimeVerdict.Drop;
        if (!_key.TryWrite(_over, frame, false)) return TimeVerdict.Fail;
        if (_key.FirstNull >= 0)
        {
            frame.Fail(SaqlErrors.NoSubstream, $"It is number {_key.FirstNull + 1} of {_over.Length}.");
            return TimeVerdict.Fail;
        }

        return AdjustWithin(ref timestamp, floor, isLate) ? TimeVerdict.Take : TimeVerdict.Drop;
    }

    public void Save(StateWriter writer)
    {
        writer.Write(Arrival);
        writer.Write(Watermark);
        writer.Write(_substreams.Count);
        foreach (var substream in _substreams.InOrder)
        {
            writer.Write(substream.Key);
            writer.Write(substream.UsedAt);
            writer.Write(substream.Watermark);
        }
    }

    public void Restore(ref StateReader reader)
    {
        Arrival = reader.ReadInt64();
        Watermark = reader.ReadInt64();
        _substreams.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var key = reader.ReadBytes();
            _substreams.Use(key, reader.ReadInt64()).Watermark = reader.ReadInt64();
        }
    }

    /// <summary>The policies, in their documented order; false when they drop the event.</summary>
    private bool Adjust(ref long timestamp, long floor)
    {
        if (timestamp - Arrival > EarlyTolerance) return false;
        if (Arrival - timestamp > _late)
        {
            if (options.DropOutOfOrder) return false;
            timestamp = Arrival - _late;
        }

        if (timestamp < floor)
        {
            if (options.DropOutOfOrder && timestamp < Watermark) return false;
            timestamp = floor;
        }

        Watermark = Math.Max(Watermark, timestamp - _outOfOrder);
        return true;
    }

    /// <summary>
    /// The same, but out of order is what its own substream is ahead of. All that arrives later is at or above
    /// arrival - late tolerance, so that is where the watermark stands.
    /// </summary>
    private bool AdjustWithin(ref long timestamp, long floor, bool isLate)
    {
        if (timestamp - Arrival > EarlyTolerance) return false;
        if (Arrival - timestamp > _late)
        {
            if (options.DropOutOfOrder) return false;
            timestamp = Arrival - _late;
        }

        if (ForgetsAtOnce) Forget();
        var substream = LastJudged = _substreams.Use(_key.Written, Arrival);
        if (timestamp < substream.Watermark)
        {
            if (options.DropOutOfOrder) return false;
            timestamp = substream.Watermark;
        }

        if (isLate) floor = Math.Max(floor, substream.Watermark + 1);
        timestamp = Math.Max(timestamp, floor);
        substream.Watermark = Math.Max(substream.Watermark, timestamp - _outOfOrder);
        return true;
    }

    /// <summary>
    /// What arrives from now on is adjusted to arrival - late tolerance at least, so the watermark may stand there.
    /// </summary>
    private void RaiseToArrival() => Watermark = Math.Max(Watermark, BoundOf(Arrival));

    private long BoundOf(long arrival) => plan.TimestampBy is null ? arrival : arrival - _late;
}
