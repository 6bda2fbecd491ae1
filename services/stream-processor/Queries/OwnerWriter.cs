using System.Buffers.Text;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Primitives;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// What one owner of a query's place writes: gathers what the engine makes of a batch, and appends it. What stands in
/// the topics already, after the checkpoint that the owner began from, is not written again.
/// </summary>
internal abstract class OwnerWriter : IQueryRowSink, IDisposable
{
    /// <summary>An append is stored as a whole; what is larger goes in several.</summary>
    private const int AppendBytes = 1 << 20;

    private const string LateDropped = "The query's time policy drops it.";

    private readonly IEventLog _log;
    private readonly long _bytesMax;
    private readonly TopicPartition[] _targets;
    private readonly long[] _next;
    private readonly byte[] _owner;
    private readonly byte[] _epoch = new byte[20];
    private readonly int _epochLength;

    /// <param name="bytesMax">How much may wait for a target; SP-0017 says that it is more.</param>
    protected OwnerWriter(
        IEventLog log, TimeProvider time, string query, int version, long epoch, IEnumerable<TopicPartition> targets,
        long bytesMax)
    {
        (_log, Time, _bytesMax) = (log, time, bytesMax);
        _targets = [.. targets];
        _next = new long[_targets.Length];
        Records = [.. _targets.Select(_ => new RecordBatchBuilder())];
        Query = $"{query}/{version}";
        _owner = Encoding.UTF8.GetBytes(Query);
        Utf8Formatter.TryFormat(epoch, _epoch, out _epochLength);
    }

    public long RowsOut { get; protected set; }

    public long RowsDropped { get; private set; }

    public List<QueryRowFailure> Failures { get; } = [];

    /// <summary>What a checkpoint keeps: after the last row of this owner in each target.</summary>
    public IReadOnlyList<PartitionOffset> Positions =>
        [.. _targets.Select((t, i) => new PartitionOffset(t, _next[i]))];

    /// <summary>How many rows stood already when this owner began.</summary>
    public abstract int KnownRows { get; }

    protected TimeProvider Time { get; }

    /// <summary>The query and version, which the header of the same name has.</summary>
    protected string Query { get; }

    protected ReadOnlySpan<byte> Owner => _owner;

    protected ReadOnlySpan<byte> Epoch => _epoch.AsSpan(0, _epochLength);

    /// <summary>What waits for <see cref="FlushAsync"/>, for each target.</summary>
    protected RecordBatchBuilder[] Records { get; }

    /// <summary>Whether something stands already that was not made again yet.</summary>
    /// <param name="positions">Where the inputs are read on from.</param>
    public abstract bool IsCatchingUp(IReadOnlyList<PartitionOffset> positions);

    /// <summary>Nothing that stands is made again any more.</summary>
    /// <returns>How many rows stand that were not.</returns>
    public abstract int ForgetKnown();

    public abstract void Row(in QueryRow row);

    public void Failed(in QueryRowFailure failure) => Failures.Add(failure);

    /// <summary>A late record is not answered when the time policies drop it, so for it that is a failure.</summary>
    public void Dropped(TopicPartition source, long offset, int element, bool isLate)
    {
        RowsDropped++;
        if (isLate) Failures.Add(new QueryRowFailure(source, offset, element, "", LateDropped, isLate, IsTaken: false));
    }

    /// <summary>
    /// Makes this owner's epoch known to readers of each target, then finds the rows of the query that count between
    /// the checkpoint's positions (or where the query began) and the fence.
    /// </summary>
    /// <param name="seen">Whom a reader at these positions has seen: rows of older owners do not count.</param>
    public async Task FenceAsync(
        IReadOnlyDictionary<TopicPartition, long> from, OwnerAge seen, CancellationToken ct)
    {
        foreach (var records in Records)
        {
            records.Begin(Time.GetUtcNow().ToUnixTimeMilliseconds(), default, hasKey: false);
            records.AddHeader(OutputHeaders.Epoch, Epoch);
            records.AddHeader(OutputHeaders.Query, _owner);
            records.AddHeader(OutputHeaders.Fence, default);
            records.End(FenceBody);
        }

        await AppendAllAsync(ct);
        for (var i = 0; i < _targets.Length; i++)
        {
            var first = (await _log.RangeAsync(_targets[i], ct)).First;
            var begin = Math.Max(from.GetValueOrDefault(_targets[i], first), first);
            await ReadKnownAsync(i, begin, fence: _next[i] - 1, seen, ct);
        }
    }

    /// <summary>Appends what was gathered; it is durable when the call returns.</summary>
    public ValueTask FlushAsync(CancellationToken ct)
    {
        BeforeFlush();
        return Array.TrueForAll(Records, records => records.Count == 0)
            ? ValueTask.CompletedTask
            : new ValueTask(AppendAllAsync(ct));
    }

    public void Dispose()
    {
        foreach (var records in Records) records.Dispose();
    }

    protected virtual ReadOnlySpan<byte> FenceBody => default;

    /// <summary>To be called when a target has more.</summary>
    protected void Bound(int target)
    {
        if (Records[target].ByteCount <= _bytesMax) return;
        throw StreamProcessorErrors.RowsTooLarge
            .With(_targets[target], $"They are {Records[target].Count} rows already.").AsException();
    }

    /// <summary>Takes a row that was added back when it is too large for the log: it fails alone.</summary>
    /// <param name="before">What the target had before the row.</param>
    /// <param name="offset">With source, element and lateness what the row comes of.</param>
    protected bool TryKeep(
        int target, (int Bytes, int Count) before, TopicPartition source, long offset, int element, bool isLate)
    {
        var bytes = Records[target].ByteCount - before.Bytes;
        if (bytes <= _log.RecordBytesMax)
        {
            Bound(target);
            return true;
        }

        Records[target].BackTo(before.Bytes, before.Count);
        var error = StreamProcessorErrors.RowTooLarge;
        Failed(new QueryRowFailure(source, offset, element, error.Code,
            $"{error.What} It has {bytes} bytes in {_targets[target].Topic}, of {_log.RecordBytesMax} at most.",
            isLate, IsTaken: true));
        return false;
    }

    protected virtual void BeforeFlush()
    {
    }

    /// <summary>Remembers what counts of the records below the fence.</summary>
    /// <param name="isFirst">Of those of the target.</param>
    protected abstract void Collect(int target, RecordBatch batch, long fence, OwnerAge seen, bool isFirst);

    /// <summary>All targets at once; returns when the last is done, whatever became of the others.</summary>
    private Task AppendAllAsync(CancellationToken ct) => Task.WhenAll(
        Enumerable.Range(0, _targets.Length).Where(i => Records[i].Count > 0).Select(i => AppendAsync(i, ct)));

    private async Task AppendAsync(int target, CancellationToken ct)
    {
        if (Records[target].ByteCount <= AppendBytesMax)
        {
            (_, _next[target]) = await _log.AppendAsync(_targets[target], Records[target], ct);
            Records[target].Clear();
            return;
        }

        await AppendSlicesAsync(target, ct);
        Records[target].Dispose();
        Records[target] = new RecordBatchBuilder();
    }

    /// <summary>When one fails, whoever takes over finds those before it.</summary>
    private async Task AppendSlicesAsync(int target, CancellationToken ct)
    {
        using var slice = new RecordBatchBuilder();
        var rest = new RecordBatch(_targets[target], 0, Records[target].Count, Records[target].Bytes);
        while (rest.Count > 0)
        {
            var first = FirstOf(rest, AppendBytesMax);
            slice.Append(first);
            (_, _next[target]) = await _log.AppendAsync(_targets[target], slice, ct);
            slice.Clear();
            rest = new RecordBatch(rest.Partition, rest.FirstOffset + first.Count, rest.Count - first.Count,
                rest.Bytes[first.Bytes.Length..]);
        }
    }

    private long AppendBytesMax => Math.Min(AppendBytes, _log.RecordBytesMax);

    /// <summary>As many records as fit, and one at least.</summary>
    private static RecordBatch FirstOf(RecordBatch records, long bytesMax)
    {
        var (count, bytes) = (0, 0);
        foreach (var record in records)
        {
            if (count > 0 && bytes + record.Bytes.Length > bytesMax) break;
            count++;
            bytes += record.Bytes.Length;
        }

        return new RecordBatch(records.Partition, records.FirstOffset, count, records.Bytes[..bytes]);
    }

    /// <summary>Retention may delete records of the target meanwhile; the rest is read all the same.</summary>
    private async Task ReadKnownAsync(int target, long from, long fence, OwnerAge seen, CancellationToken ct)
    {
        var isFirst = true;
        while (from < fence)
        {
            try
            {
                await using var reader = _log.OpenReader(_targets[target], from);
                while (from < fence)
                {
                    Collect(target, await reader.ReadAsync(ct: ct), fence, seen, isFirst);
                    (from, isFirst) = (reader.Position, false);
                }
            }
            catch (MillraceException e) when (e.Error.Definition == EventLogErrors.Trimmed)
            {
                from = Math.Max(from, (await _log.RangeAsync(_targets[target], ct)).First);
            }
        }
    }
}
