using Millrace.EventLog.Disk;
using Millrace.Primitives;

namespace Millrace.EventLog.Local;

/// <summary>
/// The writer: one group at a time, one write and one sync each. A write begins only when the one before it is durable;
/// that is why a whole batch behind a broken one proves damage, and never is what a crash left.
/// </summary>
internal sealed partial class Partition
{
    /// <summary>Writes one group, then lets other partitions have the thread.</summary>
    public bool Run()
    {
        var group = TakeGroup();
        if (group is null) return false;
        Write(group);
        group.Clear();
        lock (_gate) _spare = group;
        return true;
    }

    private void Write(AppendGroup group)
    {
        Error? error;
        Exception? cause = null;
        BatchHeader header = default;
        lock (_files)
        {
            try
            {
                var startedAt = _runtime.Time.GetTimestamp();
                header = Store(group);
                error = null;
                _runtime.Metrics.SyncDuration.Record(_runtime.Time.GetElapsedTime(startedAt).TotalSeconds, _topicTag);
            }
            catch (DiskFullException e)
            {
                (error, cause) = (EventLogErrors.DiskFull.With(_folder, e.Message), e);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                (error, cause) = (EventLogErrors.DiskFailed.With(_folder, e.Message), e);
            }

            // Before anyone hears of the failure, so that what failed cannot come back after a crash.
            if (_mustRoll) TryRoll();
        }

        Note(error, cause);
        if (error is not null)
        {
            var reason = EventLogMetrics.Reason(cause is DiskFullException ? "disk-full" : "disk-failed");
            _runtime.Metrics.Refusals.Add(group.Appends.Count, _topicTag, reason);
            foreach (var append in group.Appends) append.Fail(error, cause);
            return;
        }

        WakeReaders();
        _runtime.Metrics.Appends.Add(group.Appends.Count, _topicTag);
        _runtime.Metrics.Records.Add(header.Count, _topicTag);
        _runtime.Metrics.Bytes.Add(BatchHeader.Size + header.Bytes, _topicTag);
        _runtime.Metrics.Syncs.Add(1, _topicTag);
        _runtime.Metrics.BatchRecords.Record(header.Count, _topicTag);
        foreach (var append in group.Appends) append.Succeed(header.FirstOffset);
    }

    private BatchHeader Store(AppendGroup group)
    {
        var size = BatchHeader.Size + group.RecordBytes;
        if (_mustRoll || IsFull(Active, size)) Roll();
        var segment = Active;
        _file ??= ActiveFile.Open(_runtime, segment.Path);
        var header = new BatchHeader(segment.NextOffset, group.MaxTimestampMs, group.Count, group.RecordBytes);
        var bytes = group.Seal(header, segment.Salt);
        try
        {
            _file.Append(bytes, segment.EndPosition);
        }
        catch
        {
            CutFailedWrite(segment);
            throw;
        }

        try
        {
            _file.Sync();
        }
        catch
        {
            // Nobody knows now which pages of the file reached the disk, and a second sync would not tell. What was
            // durable before stays so; the log goes on in a new file, whose first offset takes away all that this
            // file may have behind it.
            _mustRoll = true;
            LetGo();
            throw;
        }

        lock (_gate) segment.Extend(header);
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
            _file.Sync();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _mustRoll = true;
            LetGo();
        }
    }

    /// <summary>
    /// Goes on in a new segment. Until that one is durable nothing more may be written to the old one: a new one that
    /// was made by half ends it at the next open.
    /// </summary>
    private void Roll()
    {
        var old = Active;
        _mustRoll = true;
        LetGo();
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
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
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
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
