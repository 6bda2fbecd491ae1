using System.Buffers.Binary;
using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Engine;

/// <summary>
/// The beginning of a query's second stage: reads what the places of the first sent to this one. Each row is taken
/// once, in whatever life of its sender it was sent.
/// </summary>
/// <param name="feeds">How far each is, and who waits for it.</param>
/// <param name="ways">Where rows of a source go that came on a route.</param>
/// <param name="places">Those of the first stage.</param>
internal sealed class TargetInput(
    QueryEngineOptions options, IReadOnlyDictionary<(int Feed, int Source), TargetInput.Progress> feeds,
    IReadOnlyDictionary<(int Route, int Source), TargetInput.Way> ways, int sources, IReadOnlyList<int> places)
    : RecordInput
{
    // Where the number of an earlier version begins; an epoch is below.
    private const int VersionShift = 40;

    private readonly byte[] _query = Encoding.UTF8.GetBytes(options.Name);

    /// <summary>The newest that was seen of each place.</summary>
    private readonly SortedDictionary<int, OwnerAge> _owners = [];
    private readonly (long Offset, int Ordinal)[] _last = [.. Enumerable.Repeat((-1L, -1), sources)];

    public override void Read(SourceState source, in RecordView record, byte[] array, ref byte arrayStart)
    {
        if (!record.TryGetHeader(OutputHeaders.Query, out var of)) return;
        var version = OutputHeaders.VersionOf(of, _query);
        if (version == 0 || version > options.Version) return;
        if (!RepartitionRecord.TryRead(record.Value, out var head)) return;
        var owner = new OwnerAge(version, head.Epoch);
        var newer = owner.CompareTo(_owners.GetValueOrDefault(head.Place, new OwnerAge(options.Version, 0)));
        if (newer < 0) return;
        if (newer > 0) _owners[head.Place] = owner;
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
                var told = FeedOf(head, body);
                told.Feed.RaiseTo(TimeOf(body));
                told.Pipeline.WatermarkRose();
                break;
            case RepartitionKind.Passed:
                var passed = FeedOf(head, body);
                passed.Pipeline.Passed(passed.Index, body[RepartitionRecord.ProgressBytes..], TimeOf(body));
                break;
        }
    }

    /// <summary>The first stage takes late records.</summary>
    public override void ReadLate(SourceState source, LateRecord late) =>
        throw new InvalidOperationException("A late record goes through the first stage.");

    public override void Save(StateWriter writer)
    {
        writer.Write(_owners.Count);
        foreach (var (place, owner) in _owners)
        {
            writer.Write(place);
            writer.Write(IsEarlier(owner) ? ((long)owner.Version << VersionShift) | owner.Epoch : owner.Epoch);
        }

        foreach (var (offset, ordinal) in _last)
        {
            writer.Write(offset);
            writer.Write(ordinal);
        }
    }

    public override void Restore(ref StateReader reader)
    {
        _owners.Clear();
        for (var left = reader.ReadCount(); left > 0; left--)
        {
            var (place, owner) = (reader.ReadInt32(), reader.ReadInt64());
            var version = (int)(owner >> VersionShift);
            _owners[place] = new OwnerAge(
                version == 0 ? options.Version : version, owner & ((1L << VersionShift) - 1));
        }

        for (var i = 0; i < _last.Length; i++) _last[i] = (reader.ReadInt64(), reader.ReadInt32());
    }

    public override bool KeepsEarlier => _owners.Values.Any(IsEarlier);

    /// <summary>What the version's first stage sent counts, up to where that of this version begins.</summary>
    public override void BelongsTo(int version)
    {
        foreach (var place in places)
        {
            var owner = _owners.GetValueOrDefault(place, new OwnerAge(options.Version, 0));
            if (!IsEarlier(owner)) _owners[place] = owner with { Version = version };
        }
    }

    private bool IsEarlier(OwnerAge owner) => owner.Version != options.Version;

    private Progress FeedOf(in RepartitionRecord head, ReadOnlySpan<byte> body) =>
        feeds[(BinaryPrimitives.ReadInt32LittleEndian(body), head.Source)];

    private static long TimeOf(ReadOnlySpan<byte> body) => BinaryPrimitives.ReadInt64LittleEndian(body[sizeof(int)..]);

    private void TakeRow(int source, ReadOnlySpan<byte> body)
    {
        var origin = new RowOrigin
        {
            Source = source,
            Timestamp = BinaryPrimitives.ReadInt64LittleEndian(body),
            Offset = BinaryPrimitives.ReadInt64LittleEndian(body[8..]),
            Element = BinaryPrimitives.ReadInt32LittleEndian(body[16..]),
        };
        var way = ways[(BinaryPrimitives.ReadInt32LittleEndian(body[DealState.RouteAt..]), source)];
        way.Pipeline.Take(origin, way.Index, body[DealState.HeadBytes..]);
    }

    /// <param name="Index">What the pipeline knows the route of the source by.</param>
    public readonly record struct Way(ISentRowTaker Pipeline, int Index);

    /// <param name="Index">Its place among the pipeline's feeds.</param>
    public readonly record struct Progress(FeedState Feed, ISentRowTaker Pipeline, int Index);
}
