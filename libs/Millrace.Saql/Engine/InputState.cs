using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;
using Millrace.Contracts;
using Millrace.Primitives;
using Millrace.Saql.Decoding;
using Millrace.Saql.Files;
using Millrace.Saql.Json;
using Millrace.Saql.Planning;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>One input at work: decodes records into its row, once for all that read it.</summary>
internal sealed partial class InputState : RecordInput
{
    private const int AllElements = -1;

    private static readonly long EpochTicks = DateTime.UnixEpoch.Ticks;

    private readonly EngineContext _context;
    private readonly Frame _frame;
    private readonly FieldNode _fields;
    private readonly Value[] _slots;
    private readonly JsonRowReader _reader;
    private readonly (byte[] Name, int Slot)[] _headers;
    private readonly Dictionary<int, List<(FeedState Feed, RowTaker Taker, int Index)>> _takers = [];
    private readonly int _enqueuedSlot;
    private readonly int _processedSlot;
    private readonly int _partitionSlot;
    private readonly int _deviceSlot;
    private readonly int _hubSlot;
    private readonly int _propertiesSlot;
    private readonly int _eventHubSlot;
    private readonly int _offsetSlot;
    private readonly int _eventIdSlot;
    private readonly JsonRowWriter _writer = new();
    private readonly BodyDecoder _decoder;
    private int _onlyElement = AllElements;
    private bool _hasChecks;
    private bool _hasLanes;

    public InputState(InputPlan plan, EngineContext context)
    {
        _context = context;
        _frame = context.Frame;
        _fields = plan.Fields;
        _decoder = new BodyDecoder(context.Plan.Extensions, plan.Name);
        _slots = new Value[plan.SlotCount];
        _reader = new JsonRowReader(plan.Fields, _slots, _frame.Arena);
        _headers = [.. plan.Metadata.Where(field => field.Key.Kind == MetadataKind.Header)
            .Select(field => (Encoding.UTF8.GetBytes(field.Key.Name), field.Value.Slot))];
        _enqueuedSlot = SlotOf(plan, MetadataKind.EnqueuedTime);
        _processedSlot = SlotOf(plan, MetadataKind.ProcessedTime);
        _partitionSlot = SlotOf(plan, MetadataKind.PartitionId);
        _deviceSlot = SlotOf(plan, MetadataKind.DeviceId);
        _hubSlot = SlotOf(plan, MetadataKind.IoTHub);
        _propertiesSlot = SlotOf(plan, MetadataKind.Properties);
        _eventHubSlot = SlotOf(plan, MetadataKind.EventHub);
        _offsetSlot = SlotOf(plan, MetadataKind.Offset);
        _eventIdSlot = SlotOf(plan, MetadataKind.EventId);
    }

    public Value[] Slots => _slots;

    public void AddTaker(FeedState feed, RowTaker taker, int index)
    {
        if (!_takers.TryGetValue(feed.Source, out var takers)) _takers[feed.Source] = takers = [];
        takers.Add((feed, taker, index));
        _hasChecks |= feed.Plan.Checks.Count > 0;
        _hasLanes |= taker is FeedLanesState;
    }

    public bool HasTakers(int source) => _takers.ContainsKey(source);

    public override void Read(SourceState source, in RecordView record, byte[] array, ref byte arrayStart)
    {
        if (!source.IsFile && Refusal(source, record) is { } refusal)
        {
            Fail(source, record, refusal, Detail(record, refusal));
            return;
        }

        var takers = CollectionsMarshal.AsSpan(_takers[source.Rank]);
        var times = source.IsFile ? TimesOfLine(record) : new RecordTimes(TicksOf(record), RecordTimes.None);
        Arrive(takers, times, _context.TakesLate);
        if (_hasLanes) CloseLanes(takers);
        if (source.NeedsKey && !record.HasKey)
        {
            Fail(source, record, SaqlErrors.NoDevice, "");
            return;
        }

        _frame.IsUntyped = _hasChecks && _decoder.IsUntyped(record);
        var body = record.Value;
        var kind = _decoder.IsOfExtension(record) ? 0 : JsonScanner.FirstToken(body);
        if (kind == '{' && !_context.TakesLate && _shared is { } shared && shared.TryRead(record, _slots))
            TakeRow(source, record, array, ref arrayStart, 0, times, takers);
        else if (kind is (byte)'{' or (byte)'[' && Utf8.IsValid(body))
            ReadBody(source, record, array, ref arrayStart, array, PlaceOf(body, ref arrayStart), body.Length, times);
        else if (_decoder.TryDecode(record, out var reason) is { } decoded
            && JsonScanner.FirstToken(decoded) is (byte)'{' or (byte)'[' && Utf8.IsValid(decoded))
            ReadBody(source, record, array, ref arrayStart, decoded, 0, decoded.Length, times);
        else Fail(source, record, SaqlErrors.BadBody, reason);
        _frame.Arena.WindBack(0);
    }

    public override void ReadLate(SourceState source, LateRecord late)
    {
        var array = late.Batch.Bytes.ToArray();
        (_context.TakesLate, _onlyElement) = (true, late.Element);
        foreach (var record in late.Batch with { Bytes = array })
            Read(source, record, array, ref MemoryMarshal.GetArrayDataReference(array));
        (_context.TakesLate, _onlyElement) = (false, AllElements);
    }

    private static void Arrive(
        Span<(FeedState Feed, RowTaker Taker, int Index)> takers, RecordTimes times, bool isLate)
    {
        foreach (ref var taker in takers)
        {
            // A late record moves no arrival, unless nothing has arrived at all.
            if (!isLate || taker.Feed.Arrival == RecordTimes.None) taker.Feed.Arrive(times);
        }
    }

    /// <summary>
    /// What the arrival closes in the substreams comes before the record's rows, however records are cut into batches.
    /// </summary>
    private static void CloseLanes(Span<(FeedState Feed, RowTaker Taker, int Index)> takers)
    {
        foreach (ref var taker in takers)
        {
            if (taker.Taker is FeedLanesState lanes) lanes.Release();
        }
    }

    private void TakeRow(
        SourceState source, in RecordView record, byte[] array, ref byte arrayStart, int element, RecordTimes times,
        Span<(FeedState Feed, RowTaker Taker, int Index)> takers)
    {
        var device = record.HasKey
            ? Value.OfText(array, PlaceOf(record.Key, ref arrayStart), record.Key.Length)
            : Value.Null;
        ReadMetadata(source, record, array, ref arrayStart, times, device);
        if (_offsetSlot >= 0) _slots[_offsetSlot] = Value.Of(record.Offset);
        if (_eventIdSlot >= 0) _slots[_eventIdSlot] = RecordMetadata.EventId(source, record, element, _frame.Arena);
        var isTaken = false;
        foreach (ref var taker in takers)
        {
            if (_processedSlot >= 0) _slots[_processedSlot] = Value.OfTicks(Math.Max(0, taker.Feed.Arrival));
            if (_eventHubSlot >= 0)
            {
                _slots[_eventHubSlot] = RecordMetadata.EventHub(
                    source, record, times, taker.Feed.Arrival, _writer, _frame.Arena);
            }

            _frame.Slots = _slots;
            _frame.NextRow();
            _frame.Origin =
                new RowOrigin { Source = source.Rank, Offset = record.Offset, Element = element, Device = device };
            switch (taker.Feed.Judge(times, _frame, _context.TakesLate, out var timestamp))
            {
                case TimeVerdict.Take:
                    if (_processedSlot >= 0) _slots[_processedSlot] = Value.OfTicks(taker.Feed.Arrival);
                    _frame.Origin.Timestamp = timestamp;
                    isTaken = true;
                    taker.Taker.Take(taker.Index);
                    break;
                case TimeVerdict.Drop:
                    _context.Sink.Dropped(source.Partition, record.Offset, element, _context.TakesLate);
                    break;
                default:
                    _context.ReportFailure(isTaken: false);
                    break;
            }
        }

        CountRow(source, isTaken);
    }

    /// <summary>A row that comes late was counted when it failed.</summary>
    private void CountRow(SourceState source, bool isTaken)
    {
        if (_context.TakesLate) return;
        source.RowsIn++;
        if (isTaken) source.RowsTaken++;
    }

    private void ReadMetadata(
        SourceState source, in RecordView record, byte[] array, ref byte arrayStart, RecordTimes times, in Value device)
    {
        if (_enqueuedSlot >= 0)
            _slots[_enqueuedSlot] = times.Enqueued == RecordTimes.None ? Value.Null : Value.OfTicks(times.Enqueued);
        if (_partitionSlot >= 0) _slots[_partitionSlot] = Value.Of((long)source.Partition.Partition);
        if (_deviceSlot >= 0) _slots[_deviceSlot] = device;
        foreach (ref var header in _headers.AsSpan())
        {
            _slots[header.Slot] = record.TryGetHeader(header.Name, out var value) && Utf8.IsValid(value)
                ? Value.OfText(array, PlaceOf(value, ref arrayStart), value.Length)
                : Value.Null;
        }

        if (_propertiesSlot >= 0) _slots[_propertiesSlot] = RecordMetadata.Properties(record, _writer, _frame.Arena);
        if (_hubSlot >= 0) _slots[_hubSlot] = RecordMetadata.IoTHub(record, times, _writer, _frame.Arena);
    }

    private void Fail(SourceState source, in RecordView record, ErrorDefinition error, string reason)
    {
        CountRow(source, isTaken: false);
        _context.Fail(source.Partition, record.Offset, -1, error, reason);
    }

    /// <summary>Why the record may not even arrive. The limit was for when it was read first.</summary>
    private ErrorDefinition? Refusal(SourceState source, in RecordView record) =>
        RecordDefects.Find(record, _context.TakesLate ? long.MaxValue : source.LatestMs) switch
        {
            RecordDefect.Time => SaqlErrors.BadRecordTime,
            RecordDefect.HeadersCut => SaqlErrors.HeadersCut,
            _ => null,
        };

    private static string Detail(in RecordView record, ErrorDefinition refusal) =>
        refusal == SaqlErrors.BadRecordTime ? $"It is {record.TimestampMs} ms after 1970." : "";

    /// <summary>
    /// A line of a file carries its times in a header, before all others; examples of bodies have none.
    /// </summary>
    private static RecordTimes TimesOfLine(in RecordView record)
    {
        var headers = record.Headers;
        if (!headers.MoveNext() || !headers.Current.Name.SequenceEqual(FileLineHeaders.Times))
            return new RecordTimes(TicksOf(record), RecordTimes.None);
        var times = headers.Current.Value;
        return new RecordTimes(
            BinaryPrimitives.ReadInt64LittleEndian(times), BinaryPrimitives.ReadInt64LittleEndian(times[8..]));
    }

    private static long TicksOf(in RecordView record) =>
        EpochTicks + (record.TimestampMs * TimeSpan.TicksPerMillisecond);

    private static int PlaceOf(ReadOnlySpan<byte> part, ref byte arrayStart) => part.IsEmpty
        ? 0
        : (int)Unsafe.ByteOffset(ref arrayStart, ref MemoryMarshal.GetReference(part));

    private static int SlotOf(InputPlan plan, MetadataKind kind) =>
        plan.Metadata.TryGetValue(new MetadataField(kind), out var slot) ? slot.Slot : -1;
}
