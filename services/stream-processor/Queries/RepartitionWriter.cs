using System.Buffers.Binary;
using System.Text;
using Millrace.Contracts;
using Millrace.EventLog;
using Millrace.Saql;

namespace Millrace.StreamProcessor.Queries;

/// <summary>
/// Rows of a query's first stage to the places of their keys, and to every place how far the sources are.
/// </summary>
internal sealed class RepartitionWriter : OwnerWriter, IRowDealer
{
    private const int KeyBytes = 4;
    private readonly byte[] _query;
    private readonly int _place;
    private readonly OwnerAge _age;
    private readonly TimeSpan _watermarkInterval;
    private readonly byte[] _fence = new byte[RepartitionRecord.Bytes];
    private readonly TopicPartition[] _sources;

    /// <summary>The last row of each source that stands in each target.</summary>
    private readonly (long Offset, int Ordinal)[][] _known;

    /// <summary>How far each source was read by owners before, and by this one.</summary>
    private readonly (long Offset, int Ordinal)[] _reached;
    private readonly (long Offset, int Ordinal)[] _dealt;
    private readonly long[] _toldAt;
    private readonly Dictionary<(int Source, int Feed), (long Offset, long Ticks)> _watermarks = [];
    private long? _watermarksToldAt;
    private byte[] _value = new byte[512];
    private byte[] _passed = new byte[64];
    private int _knownRows;
    private OwnerAge _seen;

    /// <param name="sources">All that the query reads, in order of topic and partition.</param>
    public RepartitionWriter(
        IEventLog log, TimeProvider time, string query, int version, int place, long epoch,
        IReadOnlyList<TopicPartition> targets, IReadOnlyList<TopicPartition> sources, TimeSpan watermarkInterval,
        long bytesMax)
        : base(log, time, query, version, epoch, targets, bytesMax)
    {
        (_query, _place, _watermarkInterval) = (Encoding.UTF8.GetBytes(query), place, watermarkInterval);
        _age = new OwnerAge(version, epoch);
        _sources = [.. sources];
        _known = [.. targets.Select(_ => Nothing())];
        (_reached, _dealt) = (Nothing(), Nothing());
        _toldAt = new long[_sources.Length];
        new RepartitionRecord(RepartitionKind.Fence, place, epoch).Write(_fence);

        (long, int)[] Nothing() => [.. _sources.Select(_ => (-1L, -1))];
    }

    public override int KnownRows => _knownRows;

    protected override ReadOnlySpan<byte> FenceBody => _fence;

    public override bool IsCatchingUp(IReadOnlyList<PartitionOffset> positions)
    {
        foreach (var (partition, position) in positions)
        {
            var source = Array.IndexOf(_sources, partition);
            if (position < _toldAt[source]) return true;
            if (position <= _reached[source].Offset && _dealt[source].CompareTo(_reached[source]) < 0) return true;
        }

        return false;
    }

    /// <summary>What stands is known by its place in the sources, so that none of it is waited for.</summary>
    public override int ForgetKnown() => 0;

    public override void Row(in QueryRow row) => throw new InvalidOperationException("The first stage has no outputs.");

    public void Row(int source, long offset, int ordinal, uint? hash, ReadOnlySpan<byte> row, bool isLate)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        var target = TargetOf(hash, key);
        _dealt[source] = (offset, ordinal);
        if (_known[target][source].CompareTo((offset, ordinal)) >= 0)
        {
            StreamProcessorMetrics.RowsKnown.Add(1);
            return;
        }

        var before = (Records[target].ByteCount, Records[target].Count);
        Add(target, key, hash is not null,
            new RepartitionRecord(RepartitionKind.Row, _place, _age.Epoch, source, offset, ordinal), row);
        var (rowOffset, element) = RepartitionRecord.OriginOf(row);
        if (TryKeep(target, before, _sources[source], rowOffset, element, isLate))
            StreamProcessorMetrics.RowsRepartitioned.Add(1);
    }

    public void Passed(int source, int feed, long offset, uint? hash, ReadOnlySpan<byte> substream, long ticks)
    {
        Span<byte> key = stackalloc byte[KeyBytes];
        var target = TargetOf(hash, key);
        var size = RepartitionRecord.ProgressBytes + substream.Length;
        if (_passed.Length < size) _passed = new byte[size * 2];
        WriteProgress(_passed, feed, ticks);
        substream.CopyTo(_passed.AsSpan(RepartitionRecord.ProgressBytes));
        var head = new RepartitionRecord(RepartitionKind.Passed, _place, _age.Epoch, source, offset);
        Add(target, key, hash is not null, head, _passed.AsSpan(0, size));
        Bound(target);
    }

    public void Watermark(int source, int feed, long offset, long ticks) =>
        _watermarks[(source, feed)] = (offset, ticks);

    /// <summary>Watermarks are for all places, so they go less often than rows.</summary>
    protected override void BeforeFlush()
    {
        if (_watermarks.Count == 0) return;
        if (_watermarksToldAt is { } at && Time.GetElapsedTime(at) < _watermarkInterval) return;
        _watermarksToldAt = Time.GetTimestamp();
        Span<byte> body = stackalloc byte[RepartitionRecord.ProgressBytes];
        foreach (var ((source, feed), (offset, ticks)) in _watermarks)
        {
            WriteProgress(body, feed, ticks);
            var head = new RepartitionRecord(RepartitionKind.Watermark, _place, _age.Epoch, source, offset);
            for (var target = 0; target < Records.Length; target++)
            {
                Add(target, default, false, head, body);
                Bound(target);
            }
        }

        _watermarks.Clear();
    }

    /// <summary>Those of the version whose state is taken are as good as one's own.</summary>
    protected override void Collect(int target, RecordBatch batch, long fence, OwnerAge seen, bool isFirst)
    {
        if (isFirst) _seen = seen;
        foreach (var record in batch)
        {
            if (record.Offset >= fence || !record.TryGetHeader(OutputHeaders.Query, out var of)) continue;
            if (!RepartitionRecord.TryRead(record.Value, out var head) || head.Place != _place) continue;
            var owner = new OwnerAge(OutputHeaders.VersionOf(of, _query), head.Epoch);
            if (owner.CompareTo(_seen) < 0 || owner.CompareTo(_age) > 0) continue;
            _seen = owner;
            Note(target, head);
        }
    }

    private void Note(int target, in RepartitionRecord head)
    {
        var at = (head.Offset, head.Ordinal);
        switch (head.Kind)
        {
            case RepartitionKind.Row:
                _knownRows++;
                if (_known[target][head.Source].CompareTo(at) < 0) _known[target][head.Source] = at;
                if (_reached[head.Source].CompareTo(at) < 0) _reached[head.Source] = at;
                break;
            case RepartitionKind.Watermark:
                _toldAt[head.Source] = Math.Max(_toldAt[head.Source], head.Offset);
                break;
        }
    }

    private int TargetOf(uint? hash, Span<byte> key)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(key, hash ?? 0);
        return hash is null ? _place : Partitioner.PartitionOf(key, Records.Length);
    }

    private static void WriteProgress(Span<byte> body, int feed, long ticks)
    {
        BinaryPrimitives.WriteInt32LittleEndian(body, feed);
        BinaryPrimitives.WriteInt64LittleEndian(body[sizeof(int)..], ticks);
    }

    private void Add(
        int target, ReadOnlySpan<byte> key, bool hasKey, in RepartitionRecord head, ReadOnlySpan<byte> body)
    {
        var size = RepartitionRecord.Bytes + body.Length;
        if (_value.Length < size) _value = new byte[size * 2];
        head.Write(_value);
        body.CopyTo(_value.AsSpan(RepartitionRecord.Bytes));
        Records[target].Begin(Time.GetUtcNow().ToUnixTimeMilliseconds(), key, hasKey);
        Records[target].AddHeader(OutputHeaders.Query, Owner);
        Records[target].End(_value.AsSpan(0, size));
    }
}
