using System.Buffers.Binary;
using Millrace.Contracts;

namespace Millrace.Saql.Engine;

/// <summary>
/// The beginning of a query's second stage: reads what the places of the first sent to this one. Each row is taken
/// once, in whatever life of its sender it was sent.
/// </summary>
internal sealed class TargetInput(
    byte[] owner, IReadOnlyDictionary<(int Feed, int Source), TargetInput.Way> ways, int sources) : RecordInput
{
    private readonly SortedDictionary<int, long> _epochs = [];
    private readonly (long Offset, int Ordinal)[] _last = [.. Enumerable.Repeat((-1L, -1), sources)];

    public override void Read(SourceState source, in RecordView record, byte[] array, ref byte arrayStart)
    {
        if (!record.TryGetHeader(OutputHeaders.Query, out var query) || !query.SequenceEqual(owner)) return;
        if (!RepartitionRecord.TryRead(record.Value, out var head)) return;
        var epoch = _epochs.GetValueOrDefault(head.Place);
        if (head.Epoch < epoch) return;
        if (head.Epoch > epoch) _epochs[head.Place] = head.Epoch;
        var body = record.Value[RepartitionRecord.Bytes..];
        switch (head.Kind)
        {
            case RepartitionKind.Row:
                ref var last = ref _last[head.Source];
                if (!head.IsBehind(last.Offset, last.Ordinal)) return;
                last = (head.Offset, head.Ordinal);
                TakeRow(head.Source, body);
                break;
            case RepartitionKind.Watermark:
                var feed = BinaryPrimitives.ReadInt32LittleEndian(body);
                ways[(feed, head.Source)].Feed.RaiseTo(BinaryPrimitives.ReadInt64LittleEndian(body[4..]));
                break;
        }
    }

    /// <summary>The first stage takes late records.</summary>
    public override void ReadLate(SourceState source, LateRecord late) =>
        throw new InvalidOperationException("A late record goes through the first stage.");

    public override void Save(StateWriter writer)
    {
        writer.Write(_epochs.Count);
        foreach (var (place, epoch) in _epochs)
        {
            writer.Write(place);
            writer.Write(epoch);
        }

        foreach (var (offset, ordinal) in _last)
        {
            writer.Write(offset);
            writer.Write(ordinal);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _epochs.Clear();
        for (var left = reader.ReadCount(); left > 0; left--) _epochs[reader.ReadInt32()] = reader.ReadInt64();
        for (var i = 0; i < _last.Length; i++) _last[i] = (reader.ReadInt64(), reader.ReadInt32());
    }

    private void TakeRow(int source, ReadOnlySpan<byte> body)
    {
        var origin = new RowOrigin
        {
            Source = source,
            Timestamp = BinaryPrimitives.ReadInt64LittleEndian(body),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(body[8..]),
            Element = BinaryPrimitives.ReadInt32LittleEndian(body[16..]),
        };
        var way = ways[(BinaryPrimitives.ReadInt32LittleEndian(body[20..]), source)];
        way.Pipeline.Take(origin, way.Index, body[DealState.HeadBytes..]);
    }

    /// <summary>Where rows of one source under one choice of timestamps go.</summary>
    public readonly record struct Way(FeedState Feed, PipelineState Pipeline, int Index);
}
