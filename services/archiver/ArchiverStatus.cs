namespace Millrace.Archiver;

/// <summary>How far the archive has come, for status lines and gauges. Safe for many threads.</summary>
public sealed class ArchiverStatus
{
    private long _archivedRows;
    private long _lagRecords;
    private long _lagTicks;
    private long _lastCommitTicks;

    /// <summary>Rows in the archive's table; 0 until it was first read.</summary>
    public long ArchivedRows => Volatile.Read(ref _archivedRows);

    /// <summary>
    /// Records of the log, in the partitions that this process works on, that are not in the table yet.
    /// </summary>
    public long LagRecords => Volatile.Read(ref _lagRecords);

    /// <summary>How long ago the newest archived record was accepted, when there are newer ones; else zero.</summary>
    public TimeSpan Lag => TimeSpan.FromTicks(Volatile.Read(ref _lagTicks));

    /// <summary>When this process last made rows part of the table; null before the first time.</summary>
    public DateTimeOffset? LastCommitAt =>
        Volatile.Read(ref _lastCommitTicks) is > 0 and var ticks ? new DateTimeOffset(ticks, TimeSpan.Zero) : null;

    internal void SetArchived(long rows) => Volatile.Write(ref _archivedRows, rows);

    internal void AddArchived(long rows, DateTimeOffset at)
    {
        Interlocked.Add(ref _archivedRows, rows);
        Volatile.Write(ref _lastCommitTicks, at.UtcTicks);
    }

    internal void RemoveArchived(long rows) => Interlocked.Add(ref _archivedRows, -rows);

    internal void SetLag(long records, TimeSpan lag)
    {
        Volatile.Write(ref _lagRecords, records);
        Volatile.Write(ref _lagTicks, lag.Ticks);
    }
}
