using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// The writer: one group at a time. It is written to the segment's file, made durable by a sync of that file, or with
/// those of other partitions by one of the write-ahead log, and answered. A write begins only when the one before it is
/// durable; that is why a whole batch behind a broken one proves damage, and never is what a crash left.
/// </summary>
internal sealed partial class Partition
{
    private AppendGroup? _group;
    private BatchHeader _header;
    private Exception? _cause;
    private long _begunAt;

    /// <summary>What is written and not durable yet; null when the write has failed.</summary>
    public Segment? Written => _cause is null ? Active : null;

    /// <summary>The batch that was written, which stands where the segment's durable bytes end.</summary>
    public ReadOnlySpan<byte> WrittenBytes => _group!.Sealed;

    /// <summary>One group, by itself.</summary>
    public void Run()
    {
        _files.Enter();
        Begin();
        Sync();
        Settle();
        Answer();
    }

    /// <summary>
    /// Takes the group whose turn it is and writes it. From here until it is settled its files are held; false when
    /// somebody else has them.
    /// </summary>
    public bool TryBegin()
    {
        if (!_files.TryEnter()) return false;
        Begin();
        return true;
    }

    private void Begin()
    {
        _group = TakeGroup();
        _cause = null;
        _begunAt = _runtime.Time.GetTimestamp();
        try
        {
            _header = Write(_group);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _cause = e;
        }
    }

    /// <summary>Makes durable what was written.</summary>
    public void Sync()
    {
        if (_cause is not null) return;
        try
        {
            _runtime.WriteAhead.Sync(Active, _file!);
            _runtime.Metrics.Syncs.Add(1, _topicTag);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            Fail(e);
        }
    }

    /// <summary>
    /// What was written is not durable. Nobody knows now which pages of the file reached the disk, and a second sync
    /// would not tell. What was durable before stays so; the log goes on in a new file, whose first offset takes away
    /// all that this file may have behind it.
    /// </summary>
    public void Fail(Exception cause)
    {
        if (_cause is not null) return;
        _cause = cause;
        _mustRoll = true;
        LetGo();
    }

    /// <summary>From here on the group is in the log, or never will be.</summary>
    public void Settle()
    {
        if (_cause is null)
        {
            var took = _runtime.Time.GetElapsedTime(_begunAt).TotalSeconds;
            _runtime.Metrics.SyncDuration.Record(took, _topicTag);
            lock (_gate) Active.Extend(_header);
        }

        // Before anyone hears of the failure, so that what failed cannot come back after a crash.
        if (_mustRoll) TryRoll();
        _files.Exit();
    }

    /// <summary>Tells those who appended, and those who wait for records.</summary>
    public void Answer()
    {
        var (group, header, cause) = (_group!, _header, _cause);
        var error = cause is null ? null : ErrorOf(cause);
        Note(error, cause);
        if (error is not null)
        {
            var reason = EventLogMetrics.Reason(cause is DiskFullException ? "disk-full" : "disk-failed");
            _runtime.Metrics.Refusals.Add(group.Appends.Count, _topicTag, reason);
            foreach (var append in group.Appends) append.Fail(error, cause);
        }
        else
        {
            WakeReaders();
            _runtime.Metrics.Appends.Add(group.Appends.Count, _topicTag);
            _runtime.Metrics.Records.Add(header.Count, _topicTag);
            _runtime.Metrics.Bytes.Add(BatchHeader.Size + header.Bytes, _topicTag);
            _runtime.Metrics.BatchRecords.Record(header.Count, _topicTag);
            foreach (var append in group.Appends) append.Succeed(header.FirstOffset);
        }

        group.Clear();
        _group = null;
        lock (_gate) _spare = group;
    }

    public static bool IsOfDisk(Exception e) => e is IOException or UnauthorizedAccessException;

    private Error ErrorOf(Exception cause) =>
        (cause is DiskFullException ? EventLogErrors.DiskFull : EventLogErrors.DiskFailed).With(_folder, cause.Message);

    private BatchHeader Write(AppendGroup group)
    {
        var size = BatchHeader.Size + group.RecordBytes;
        if (_mustRoll || IsFull(Active, size)) Roll();
        var segment = Active;
        _file ??= ActiveFile.Open(_runtime, segment.Path);
        var header = new BatchHeader(segment.NextOffset, group.MaxTimestampMs, group.Count, group.RecordBytes);
        group.Seal(header, segment.Salt);
        try
        {
            _file.Append(group.Sealed, segment.EndPosition);
        }
        catch
        {
            CutFailedWrite(segment);
            throw;
        }

        return header;
    }

    private bool IsFull(Segment segment, int more)
    {
        if (segment.IsEmpty) return false;
        return segment.EndPosition + more > _runtime.Options.SegmentBytesMax.Bytes
            || _runtime.NowMs - segment.MadeAtMs > _runtime.Options.SegmentAgeMax.TotalMilliseconds;
    }

    /// <summary>Takes back what of a batch was written; where that fails too, the log goes on in a new file.</summary>
    private void CutFailedWrite(Segment segment)
    {
        try
        {
            _file!.Truncate(segment.EndPosition);
            _runtime.WriteAhead.Sync(segment, _file);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _mustRoll = true;
            LetGo();
        }
    }

    /// <summary>
    /// Goes on in a new segment. Until that one is durable nothing more may be written to the old one: a new one that
    /// was made by half ends it at the next open. And the old one is durable by itself before there is a new one.
    /// </summary>
    private void Roll()
    {
        var old = Active;
        _mustRoll = true;
        LetGo();
        if (!_runtime.WriteAhead.TryMakeDurable(old)) throw new IOException($"{old.Path} cannot be made durable now.");
        CutByName(old);
        var (made, file) = SegmentFile.Make(_runtime, _folder, old.NextOffset);
        _file = new ActiveFile(_runtime, file, SegmentHeader.Size);
        lock (_gate)
        {
            if (old.IsEmpty) _segments[^1] = made;
            else _segments.Add(made);
        }

        _mustRoll = false;
        if (!old.IsEmpty) KeepIndex(old);
    }

    /// <summary>Where this fails too, the next append tries again.</summary>
    private void TryRoll()
    {
        try
        {
            Roll();
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _runtime.Log.FileLeft(_folder, e);
        }
    }

    /// <summary>Takes away what a failed write, or the room that was made ahead, left behind the last batch.</summary>
    private void CutByName(Segment segment)
    {
        try
        {
            using var file = _runtime.Disk.Open(segment.Path);
            if (file.Length <= segment.EndPosition) return;
            file.Truncate(segment.EndPosition);
            file.Sync();
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _runtime.Log.FileLeft(segment.Path, e);
        }
    }

    private void KeepIndex(Segment segment)
    {
        try
        {
            SegmentIndexFile.Write(_runtime.Disk, segment);
        }
        catch (Exception e) when (IsOfDisk(e))
        {
            _runtime.Log.FileLeft(segment.IndexPath, e);
        }
    }

    private void LetGo()
    {
        _file?.Dispose();
        _file = null;
    }

    /// <summary>Says once that appends fail, and once that they succeed again.</summary>
    private void Note(Error? error, Exception? cause)
    {
        if (error is not null && !_failing) _runtime.Log.AppendsFailing(Id.ToString(), error.ToString(), cause);
        if (error is null && _failing) _runtime.Log.AppendsAgain(Id.ToString());
        _failing = error is not null;
    }

    private void WakeReaders()
    {
        lock (_gate) (_waiting, _woken) = (_woken, _waiting);
        foreach (var signal in _woken) signal.Give();
        _woken.Clear();
    }
}
