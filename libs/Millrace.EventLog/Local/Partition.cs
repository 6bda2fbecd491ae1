using Millrace.Contracts;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// One partition: its segments, the appends that wait for the disk, the readers that wait for records. Two locks: the
/// gate guards what appenders, readers and the writer share, and is held for moments; the file lock belongs to whoever
/// changes files, and is taken first.
/// </summary>
internal sealed partial class Partition : IDiskWork
{
    private readonly LogRuntime _runtime;
    private readonly string _folder;
    private readonly KeyValuePair<string, object?> _topicTag;

    private readonly Lock _gate = new();
    private readonly List<Segment> _segments;
    private List<DataSignal> _waiting = [];
    private List<DataSignal> _woken = [];
    private bool _closed;

    private readonly Lock _files = new();
    private ActiveFile? _file;
    private bool _mustRoll;
    private bool _failing;

    public Partition(TopicPartition id, string folder, LogRuntime runtime)
    {
        Id = id;
        _folder = folder;
        _runtime = runtime;
        _topicTag = EventLogMetrics.Topic(id.Topic);
        FolderName = runtime.WriteAhead.NameOf(folder);
        _segments = new PartitionRecovery(runtime, id.Topic, folder).Open();
    }

    public TopicPartition Id { get; }

    /// <summary>What the write-ahead log calls its folder.</summary>
    public byte[] FolderName { get; }

    private Segment Active => _segments[^1];

    public OffsetRange Range()
    {
        lock (_gate) return new OffsetRange(_segments[0].FirstOffset, Active.NextOffset);
    }

    /// <summary>
    /// Where the offset is: its segment and where that segment's durable bytes end. Null when the next record to come
    /// is the one; LOG-0004 or LOG-0010 when the offset is outside the log.
    /// </summary>
    public SegmentView? View(long offset, Segment? hint)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LocalLog));
            var next = Active.NextOffset;
            if (offset == next) return null;
            var first = _segments[0].FirstOffset;
            if (offset < first)
            {
                var detail = $"The first offset kept is {first}: {first - offset} records were missed.";
                throw Outside(EventLogErrors.Trimmed, offset, detail);
            }

            if (offset > next) throw Outside(EventLogErrors.BeyondEnd, offset, $"The next offset is {next}.");
            var segment = hint is not null && offset >= hint.FirstOffset && offset < hint.NextOffset
                ? hint
                : Find(offset);
            return new SegmentView(segment, segment.EndPosition);
        }
    }

    /// <summary>The index entry from which a reader that wants the offset begins.</summary>
    public IndexEntry Entry(Segment segment, long offset)
    {
        lock (_gate) return segment.Index.AtOffset(offset);
    }

    /// <summary>The signal is given when the record of this offset is durable; false when it is already.</summary>
    public bool WaitFor(long offset, DataSignal signal)
    {
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_closed, typeof(LocalLog));
            if (offset < Active.NextOffset) return false;
            _waiting.Add(signal);
            return true;
        }
    }

    public bool StopWaiting(DataSignal signal)
    {
        lock (_gate) return _waiting.Remove(signal);
    }

    /// <summary>Lets all that is accepted become durable, then lets go of the files.</summary>
    public async Task CloseAsync()
    {
        await Drained();
        lock (_files)
        {
            _file?.Dispose();
            _file = null;
        }

        List<DataSignal> waiting;
        lock (_gate) (waiting, _waiting) = (_waiting, []);
        foreach (var signal in waiting) signal.Fail(new ObjectDisposedException(nameof(LocalLog)));
    }

    private Segment Find(long offset)
    {
        int low = 0, high = _segments.Count - 1;
        while (low < high)
        {
            var middle = (low + high + 1) / 2;
            if (_segments[middle].FirstOffset <= offset) low = middle;
            else high = middle - 1;
        }

        return _segments[low];
    }

    private MillraceException Outside(ErrorDefinition error, long offset, string detail) =>
        error.With($"{Id} offset {offset}", detail).AsException();
}

/// <summary>A segment, and where its durable bytes ended when it was asked.</summary>
internal readonly record struct SegmentView(Segment Segment, long EndPosition);
