namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>Segments that have bytes of which only this log is sure, until those are durable by themselves.</summary>
internal sealed partial class WriteAheadLog
{
    private readonly Lock _gate = new();
    private readonly Lock _restoring = new();
    private readonly HashSet<Segment> _doubted = [];
    private readonly HashSet<Segment> _syncing = [];

    // What is being made durable just now.
    private Segment? _making;

    /// <summary>
    /// Syncs the segment's file. Should that fail, what of it only this log is sure of must be written to it again. The
    /// caller sees to it that nobody writes to the segment meanwhile. It fails too when another sync of the file has:
    /// of two, the system tells one alone, and the other finds nothing left to do.
    /// </summary>
    public void Sync(Segment segment, ActiveFile file)
    {
        bool isCovered, isShared;
        lock (_gate)
        {
            isCovered = IsCovered(segment);
            isShared = _making == segment;
            if (isCovered) _syncing.Add(segment);
        }

        try
        {
            file.Sync();
            if (isShared) WaitForMaker();
            if (isCovered) RefuseDoubted(segment);
        }
        catch
        {
            lock (_gate)
            {
                if (_syncing.Remove(segment)) _doubted.Add(segment);
            }

            throw;
        }

        if (isCovered) Settle(segment);
    }

    /// <summary>
    /// Makes the segment durable by itself, if this log covers any of it. False where its own thread is about to.
    /// </summary>
    public bool TryMakeDurable(Segment segment)
    {
        lock (_restoring)
        {
            bool isDoubted;
            lock (_gate)
            {
                if (!IsCovered(segment)) return true;
                if (_syncing.Contains(segment)) return false;
                isDoubted = _doubted.Remove(segment);
                _making = segment;
            }

            try
            {
                if (isDoubted) Restore(segment);
                else Sync(segment);
            }
            catch (Exception e) when (Partition.IsOfDisk(e))
            {
                lock (_gate) _doubted.Add(segment);
                throw;
            }
            finally
            {
                lock (_gate) _making = null;
            }

            // Its own thread may have had the failure of which this one heard nothing.
            lock (_gate) return !_doubted.Contains(segment) && !_syncing.Contains(segment);
        }
    }

    /// <summary>Whoever makes the segment durable has told what became of it when it lets go.</summary>
    private void WaitForMaker()
    {
        lock (_restoring)
        {
        }
    }

    private void RefuseDoubted(Segment segment)
    {
        lock (_gate)
        {
            if (_doubted.Contains(segment)) throw new IOException($"Another sync of {segment.Path} has failed.");
        }
    }

    /// <summary>
    /// The sync has made durable all that this log covers of the segment; unless somebody was at it meanwhile, whose
    /// sync may have failed.
    /// </summary>
    private void Settle(Segment segment)
    {
        var isAlone = _restoring.TryEnter();
        try
        {
            lock (_gate)
            {
                _syncing.Remove(segment);
                if (!isAlone || _doubted.Contains(segment)) return;
                foreach (var file in _files) file.Covered.Remove(segment);
            }
        }
        finally
        {
            if (isAlone) _restoring.Exit();
        }
    }

    /// <summary>False when segments are left that their own threads are about to sync.</summary>
    private bool TryMakeDurable(WriteAheadFile file)
    {
        Segment[] covered;
        lock (_gate) covered = [.. file.Covered];
        foreach (var segment in covered)
        {
            if (!TryMakeDurable(segment)) continue;
            lock (_gate) file.Covered.Remove(segment);
        }

        lock (_gate) return file.Covered.Count == 0;
    }

    private void Sync(Segment segment)
    {
        if (!_disk.FileExists(segment.Path)) return;
        using var file = _disk.Open(segment.Path);
        file.Sync();
    }

    private void Restore(Segment segment)
    {
        var path = Path.GetRelativePath(_root, segment.Path);
        List<WriteAheadFile> covering;
        lock (_gate) covering = _files.Where(file => file.Covered.Contains(segment)).ToList();
        var batches = covering.SelectMany(file => file.ReadAll())
            .Where(batch => batch.Path == path && batch.Salt == segment.Salt)
            .OrderBy(batch => batch.Position);
        WriteAheadReplay.Restore(_disk, segment.Path, segment.Salt, batches);
    }

    private bool IsCovered(Segment segment) =>
        _files[0].Covered.Contains(segment) || _files[1].Covered.Contains(segment);

    private sealed class Checkpoint(WriteAheadLog log) : IDiskWork
    {
        public void Run()
        {
            try
            {
                if (log.TryMakeDurable(log._due!)) log._due = null;
            }
            catch (Exception e) when (Partition.IsOfDisk(e))
            {
                log._log.AheadFailed(log._folder, (int)TryAgainAfter.TotalSeconds, e);
                log._clearedInVainAt = log._time.GetTimestamp();
            }

            log._isClearing = false;
        }
    }
}
