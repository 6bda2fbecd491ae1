using System.Buffers;
using System.Text;
using Microsoft.Extensions.Logging;
using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Local.WriteAhead;

/// <summary>
/// The write-ahead log: one sync for small batches of several partitions. They are written to their segments as always,
/// and to this log, which alone is synced. Each of its two files covers segments until those are durable by themselves;
/// what a crash took from a segment before that is brought back when the log opens.
/// </summary>
internal sealed partial class WriteAheadLog
{
    private const string FolderName = "wal";
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    private readonly ILogDisk _disk;
    private readonly string _root;
    private readonly string _folder;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly EventLogMetrics _metrics;
    private readonly int _bytes;
    private readonly WriteAheadFile[] _files;

    // What the thread that commits has to itself.
    private readonly List<Partition> _shared = [];
    private readonly ArrayBufferWriter<byte> _frame = new();
    private int _current;
    private long _number;
    private bool _isReady;
    private long? _failedAt;

    // The file that took frames before, until its segments are durable; and whether a thread is at it.
    private volatile WriteAheadFile? _due;
    private long? _clearedInVainAt;
    private volatile bool _isClearing;

    public WriteAheadLog(
        ILogDisk disk, string root, EventLogOptions options, TimeProvider time, ILogger log, EventLogMetrics metrics)
    {
        (_disk, _root, _time, _log, _metrics) = (disk, root, time, log, metrics);
        _folder = Path.Combine(root, FolderName);
        _bytes = (int)options.WriteAheadBytes.Bytes;
        BatchBytesMax = _bytes == 0 ? -1 : (int)options.SharedBatchBytesMax.Bytes;
        _files = [.. new[] { "0", "1" }.Select(name => new WriteAheadFile(disk, Path.Combine(_folder, name), _bytes))];
    }

    /// <summary>A larger batch is synced by itself; -1 where none shares a sync.</summary>
    public int BatchBytesMax { get; }

    /// <summary>So much is committed at once, and a batch.</summary>
    public int TurnBytesMax => _bytes / 2;

    /// <summary>Brings back what a crash took. Before any partition opens.</summary>
    public void Replay() => WriteAheadReplay.Run(_disk, _root, _folder, _log);

    /// <summary>How the frames call a folder of the log.</summary>
    public byte[] NameOf(string folder) => Encoding.UTF8.GetBytes(Path.GetRelativePath(_root, folder));

    /// <summary>Makes durable what the partitions have written. One thread at a time.</summary>
    public void Commit(List<Partition> turn)
    {
        _shared.Clear();
        foreach (var partition in turn)
        {
            var isShared = partition.Written is not null && partition.WrittenBytes.Length <= BatchBytesMax;
            if (isShared) _shared.Add(partition);
            else partition.Sync();
        }

        if (_shared.Count > 1 && IsReady(WriteAheadFrame.Size(_shared))) CommitShared();
        else foreach (var partition in _shared) partition.Sync();
    }

    /// <summary>Makes durable what a full file covers, so that it can be used again; null when none is due.</summary>
    public IDiskWork? TakeCheckpoint()
    {
        if (_isClearing || _due is null || IsTooEarly(_clearedInVainAt)) return null;
        _isClearing = true;
        return new Checkpoint(this);
    }

    /// <summary>With all partitions closed: makes their segments durable, and leaves no files.</summary>
    public void Close()
    {
        try
        {
            if (!_files.All(TryMakeDurable)) return;
            if (_disk.FolderExists(_folder)) DeleteFiles();
        }
        catch (Exception e) when (Partition.IsOfDisk(e))
        {
            _log.FileLeft(_folder, e);
        }
    }

    private void CommitShared()
    {
        var current = _files[_current];
        _frame.ResetWrittenCount();
        WriteAheadFrame.Write(_frame, _shared, current.Salt, _number);
        try
        {
            current.Append(_frame.WrittenSpan);
        }
        catch (Exception e) when (Partition.IsOfDisk(e))
        {
            GiveUp(e);
            foreach (var partition in _shared) partition.Fail(e);
            return;
        }

        _number++;
        _metrics.SharedSyncs.Add(1);
        lock (_gate)
        {
            foreach (var partition in _shared) current.Covered.Add(partition.Written!);
        }
    }

    /// <summary>Whether a frame can be written now. If not, each partition syncs its own file.</summary>
    private bool IsReady(int frameBytes)
    {
        if (WriteAheadContent.HeadBytes + frameBytes > _bytes) return false;
        try
        {
            if (!_isReady) return TryBegin();
            if (_files[_current].HasRoom(frameBytes)) return true;
            var next = 1 - _current;
            if (_due is not null) return false;
            _files[next].Begin(_number);
            _due = _files[_current];
            _current = next;
            return true;
        }
        catch (Exception e) when (Partition.IsOfDisk(e))
        {
            GiveUp(e);
            return false;
        }
    }

    /// <summary>Begins, or begins anew, when nothing depends on what the files have.</summary>
    private bool TryBegin()
    {
        if (_isClearing || IsTooEarly(_failedAt)) return false;
        LogRuntime.MakeFolder(_disk, _folder);
        if (!_files.All(TryMakeDurable)) return false;
        _due = null;
        DeleteFiles();
        _files[_current].Begin(_number);
        _isReady = true;
        return true;
    }

    private void GiveUp(Exception cause)
    {
        _isReady = false;
        _failedAt = _time.GetTimestamp();
        _log.AheadFailed(_folder, (int)TryAgainAfter.TotalSeconds, cause);
    }

    private bool IsTooEarly(long? failedAt) => failedAt is { } at && _time.GetElapsedTime(at) < TryAgainAfter;

    private void DeleteFiles()
    {
        foreach (var file in _files) file.Delete();
        _disk.SyncFolder(_folder);
    }
}
