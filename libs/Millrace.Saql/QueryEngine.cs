using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using Millrace.Contracts;
using Millrace.Saql.Decoding;
using Millrace.Saql.Engine;
using Millrace.Saql.Models;
using Millrace.Saql.Planning;

namespace Millrace.Saql;

/// <summary>
/// Evaluates one plan over the records of its sources. What it emits depends on the records, the marks and their
/// offsets alone: not on the clock, on how records are cut into batches, or on which source is read first.
/// For one caller at a time.
/// </summary>
public sealed partial class QueryEngine
{
    private static readonly long EpochTicks = DateTime.UnixEpoch.Ticks;

    private readonly QueryPlan _plan;
    private readonly QueryEngineOptions _options;
    private readonly Lazy<int> _stateFingerprint;

    /// <summary>Puts the engine together with fewer timelines of substreams, as an older program did.</summary>
    private readonly Func<LaneUse, EngineAssembly>? _olderAssembly;
    private Dictionary<TopicPartition, SourceState> _sources;
    private SourceState[] _inOrder;
    private RowTaker[] _pipelines;
    private AnalyticState[] _analytics;
    private ReferenceState[] _references;
    private ModelPins _models;
    private byte[] _copy = [];

    /// <param name="sources">
    /// Every partition that will be read, for each input: one partition for <see cref="QueryScope.PerPartition"/>, or
    /// several, which gives the same rows in the order of their time.
    /// </param>
    public QueryEngine(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> sources, IQueryRowSink sink)
        : this(plan, options, EngineAssembly.Whole(plan, options, sources, sink)) =>
        _olderAssembly = lanes => EngineAssembly.Whole(plan, options, sources, sink, lanes);

    private QueryEngine(QueryPlan plan, QueryEngineOptions options, EngineAssembly assembly)
    {
        _plan = plan;
        _options = options;
        Use(assembly);
        _stateFingerprint = new Lazy<int>(() => Fingerprint(StateText.Of(_plan.Text)));
    }

    /// <summary>
    /// The first stage of a plan that is answered by key: reads the sources of one partition, and sends each row to
    /// the place of its key.
    /// </summary>
    /// <param name="sources">Every partition that all places together read.</param>
    public static QueryEngine ForDealer(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> sources, int place, IRowDealer dealer,
        IQueryRowSink sink) =>
        new(plan, options, EngineAssembly.Dealer(plan, options, sources, place, dealer, sink));

    /// <summary>
    /// The second stage: answers the rows that the first stage sent to one place. All places together give the rows
    /// that one engine over all sources gives.
    /// </summary>
    /// <param name="sources">The same as of the first stage.</param>
    /// <param name="target">What is read: one partition of the topic in between.</param>
    public static QueryEngine ForTarget(
        QueryPlan plan, QueryEngineOptions options, IReadOnlyList<QuerySource> sources, QuerySource target,
        IQueryRowSink sink) => new(plan, options, EngineAssembly.Target(plan, options, sources, target, sink));

    /// <summary>
    /// The least of the sources' watermarks, in milliseconds since 1970; long.MinValue before the first.
    /// </summary>
    public long WatermarkMs
    {
        get
        {
            var least = _pipelines.Length == 0 ? long.MinValue : _pipelines.Min(pipeline => pipeline.Watermark);
            return least == long.MinValue ? least : OutputState.ToMilliseconds(least);
        }
    }

    /// <summary>Whether rows or groups wait for the watermark, so that an idle source should be marked.</summary>
    public bool AwaitsWatermark => _pipelines.Any(pipeline => pipeline.IsWaiting);

    /// <summary>
    /// Whether something waits for the source alone or among others, and would not if its records from here on arrived
    /// no earlier than the time. Of a first stage whether it had more to tell, for it does not see what waits.
    /// </summary>
    public bool AwaitsMark(TopicPartition source, long arrivalMs)
    {
        var (feeds, arrival) = (Find(source).Feeds, TicksOf(arrivalMs));
        return _pipelines.Any(pipeline => feeds.Any(feed => pipeline.AwaitsMark(feed, arrival)));
    }

    /// <summary>
    /// The next records of the source. Records before its position are passed over. Rows come out of the sink before
    /// this returns.
    /// </summary>
    public void Process(RecordBatch batch)
    {
        var source = Find(batch.Partition);
        if (!MemoryMarshal.TryGetArray(batch.Bytes, out var segment))
        {
            if (_copy.Length < batch.Bytes.Length) _copy = new byte[batch.Bytes.Length];
            batch.Bytes.CopyTo(_copy);
            segment = new ArraySegment<byte>(_copy, 0, batch.Bytes.Length);
        }

        source.Begin(batch);
        try
        {
            ref var arrayStart = ref MemoryMarshal.GetArrayDataReference(segment.Array!);
            foreach (var record in batch with { Bytes = segment })
            {
                if (record.Offset < source.Position) continue;
                source.MoveTo(record.Offset);
                foreach (var input in source.Inputs) input.Read(source, record, segment.Array!, ref arrayStart);
            }
        }
        finally
        {
            source.End();
        }

        source.MoveTo(batch.NextOffset);
        foreach (var pipeline in _pipelines) pipeline.Release();
        CheckState();
    }

    /// <summary>
    /// From now on, and until it is disposed of, what the query reads of the source's bodies is decoded together with
    /// what others read of them. It answers the same as without.
    /// </summary>
    public SharedLease Share(TopicPartition source, SharedBodies bodies) => Find(source).Share(bodies);

    /// <summary>About how much the query keeps: groups, rows that wait or may be met, values looked back at.</summary>
    public long StateBytes
    {
        get
        {
            var bytes = 0L;
            foreach (var pipeline in _pipelines) bytes += pipeline.StateBytes;
            foreach (var analytic in _analytics) bytes += analytic.StateBytes;
            return bytes;
        }
    }

    /// <summary>
    /// Records of the source from this offset on arrive no earlier than the time. Takes effect when the source's
    /// position reaches the offset; at once when it stands there.
    /// </summary>
    public void Mark(TopicPartition source, long offset, long arrivalMs)
    {
        Find(source).Mark(offset, TicksOf(arrivalMs));
        foreach (var pipeline in _pipelines) pipeline.Release();
    }

    /// <summary>
    /// Records of the source from this offset on fail when they have a later time (SQ-0111), until
    /// <see cref="LiftLimits"/>. The saved state has no limits.
    /// </summary>
    public void Limit(TopicPartition source, long offset, long latestMs) => Find(source).Limit(offset, latestMs);

    /// <summary>The latest time of a record at this offset that is taken; long.MaxValue without a limit.</summary>
    public long LimitAt(TopicPartition source, long offset) => Find(source).LimitAt(offset);

    /// <summary>Whether there is a limit, at the positions or ahead of them.</summary>
    public bool HasLimits => _inOrder.Any(source => source.HasLimit);

    /// <summary>What was read is saved: limits below the sources' positions are needed no more. Others stay.</summary>
    public void LiftLimits()
    {
        foreach (var source in _inOrder) source.LiftLimit();
    }

    /// <summary>
    /// Takes a record, or one element of it, that failed when it was read, as one that comes now: under its own
    /// identity and behind all that came before. Takes effect when the source's position reaches the offset; at once
    /// when it stands there.
    /// </summary>
    public void Late(TopicPartition source, long offset, LateRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        Find(source).Late(offset, record);
        foreach (var pipeline in _pipelines) pipeline.Release();
    }

    /// <summary>
    /// Rows that the records held since this engine began; a body, or an element of it, that cannot be decoded is one.
    /// </summary>
    public long RowsIn => _inOrder.Sum(source => source.RowsIn);

    /// <summary>Those that went on into the query; the others failed, or the time policies dropped them.</summary>
    public long RowsTaken => _inOrder.Sum(source => source.RowsTaken);

    /// <summary>How many late records of the source are part of the state.</summary>
    public int LateTaken(TopicPartition source) => Find(source).LateTaken;

    /// <summary>
    /// Whether a late record of the source waits for its offset: the count does not tell of others yet.
    /// </summary>
    public bool AwaitsLate(TopicPartition source) => Find(source).AwaitsLate;

    /// <summary>The next offset of each source: what a checkpoint names together with <see cref="Save"/>.</summary>
    public IReadOnlyList<PartitionOffset> Positions =>
        [.. _inOrder.Select(source => new PartitionOffset(source.Partition, source.Position))];

    /// <summary>No more input comes: everything that waits is answered.</summary>
    public void Complete()
    {
        foreach (var pipeline in _pipelines) pipeline.Complete();
    }

    [MemberNotNull(nameof(_sources), nameof(_inOrder), nameof(_pipelines), nameof(_analytics), nameof(_references),
        nameof(_models))]
    private void Use(EngineAssembly assembly)
    {
        (_inOrder, _pipelines, _analytics) = (assembly.Sources, assembly.Pipelines, [.. assembly.Analytics]);
        _references = [.. assembly.Operators.OfType<ReferenceState>()];
        _models = new ModelPins(_plan.Models, assembly.Frame);
        _sources = _inOrder.ToDictionary(source => source.Partition);
    }

    private void CheckState()
    {
        var bytes = StateBytes;
        if (bytes <= _options.StateBytesMax) return;
        throw SaqlErrors.StateTooLarge.With($"{_options.Name} keeps {bytes} bytes; the most is " +
            $"{_options.StateBytesMax}").AsException();
    }

    private static long TicksOf(long timeMs) => EpochTicks + (timeMs * TimeSpan.TicksPerMillisecond);

    private SourceState Find(TopicPartition partition) => _sources.TryGetValue(partition, out var source)
        ? source
        : throw SaqlErrors.UnknownSource.With(partition).AsException();
}

/// <param name="Batch">The one record; none for a late record that failed again, and counts alone.</param>
/// <param name="Element">Which element of an array body; -1 for the whole record.</param>
public sealed record LateRecord(RecordBatch Batch, int Element);

/// <param name="Input">The name that the query uses in FROM.</param>
/// <param name="StartOffset">Where reading begins when no state is restored.</param>
/// <param name="NeedsKey">A record without a key fails: its key is the device that it is of.</param>
public sealed record QuerySource(string Input, TopicPartition Partition, long StartOffset, bool NeedsKey = false)
{
    /// <summary>Its records were made by <see cref="Files.FileLine"/>, which has them carry their times.</summary>
    public bool IsFile { get; init; }
}

/// <param name="Name">The query's name and version go into row ids.</param>
public sealed record QueryEngineOptions(string Name, int Version)
{
    public TimeSpan LateTolerance { get; init; } = TimeSpan.FromSeconds(5);
    public TimeSpan OutOfOrderTolerance { get; init; } = TimeSpan.Zero;

    /// <summary>Late and out-of-order events are dropped (and counted) instead of adjusted.</summary>
    public bool DropOutOfOrder { get; init; }

    /// <summary>What the query may keep; when it is more, the query stops with SQ-0203.</summary>
    public long StateBytesMax { get; init; } = long.MaxValue;

    /// <summary>What a pattern may take for a row that goes back and forth; else it fails with SQ-0114.</summary>
    public TimeSpan PatternTimeMax { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>Where a query is answered by key in two stages, substreams have timelines of their own in the second.
    /// </summary>
    public bool HasTimelinesByKey { get; init; }

    /// <summary>
    /// A row that fails is told on each route, not on the first alone: between the stages stand rows of a version that
    /// may not have sent them on the first.
    /// </summary>
    public bool TellsOnEachRoute { get; init; }
}
