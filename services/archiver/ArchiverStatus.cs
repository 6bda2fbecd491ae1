namespace Millrace.Archiver;

/// <summary>How far the archive has come, for status lines and gauges. Safe for many threads.</summary>
public sealed class ArchiverStatus
{
    private long _archivedRows;
    private ArchiveLag _telemetryLag = ArchiveLag.None;
    private IReadOnlyDictionary<string, ArchiveLag> _outputLags = new Dictionary<string, ArchiveLag>();
    private long _lastCommitTicks;

    /// <summary>Rows in the archive's table; 0 until it was first read.</summary>
    public long ArchivedRows => Volatile.Read(ref _archivedRows);

    /// <summary>What of telemetry is not in its table yet.</summary>
    public ArchiveLag TelemetryLag
    {
        get => Volatile.Read(ref _telemetryLag);
        internal set => Volatile.Write(ref _telemetryLag, value);
    }

    /// <summary>The same of each query output that this process archives, by its name.</summary>
    public IReadOnlyDictionary<string, ArchiveLag> OutputLags
    {
        get => Volatile.Read(ref _outputLags);
        internal set => Volatile.Write(ref _outputLags, value);
    }

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
}

/// <summary>How far a table is behind the log, in the partitions that this process works on.</summary>
/// <param name="Records">Records of the log that are not in the table yet.</param>
/// <param name="Time">How long ago the oldest of them was accepted; zero when there is none.</param>
public sealed record ArchiveLag(long Records, TimeSpan Time)
{
    public static ArchiveLag None { get; } = new(0, TimeSpan.Zero);
}
