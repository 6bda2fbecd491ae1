using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Options;
using Millrace.Primitives;

namespace Millrace.EventLog;

/// <summary>What keeps the event log.</summary>
public enum EventLogKind
{
    /// <summary>Files in the data folder; one process has them.</summary>
    Local,

    /// <summary>A Kafka cluster, which any number of processes share.</summary>
    Kafka,
}

/// <summary>The event log; section EventLog. What is said of files and disks is of the local one.</summary>
public sealed class EventLogOptions
{
    /// <summary>Local, in the data folder, or Kafka; then see EventLog:Kafka.</summary>
    public EventLogKind Kind { get; set; }

    /// <summary>Partitions of the hub's topics. Fixed once they are made. On Kafka the default is 32.</summary>
    [Range(1, 1024)]
    public int Partitions { get; set; } = 4;

    /// <summary>A segment file that has reached this size is closed and a new one begun.</summary>
    public ByteSize SegmentBytesMax { get; set; } = ByteSize.FromMiB(64);

    /// <summary>
    /// A segment file that is older is closed at the next append, so that retention by age can delete it.
    /// </summary>
    public TimeSpan SegmentAgeMax { get; set; } = TimeSpan.FromDays(1);

    /// <summary>One entry of a segment's index stands for this much of the file.</summary>
    public ByteSize IndexIntervalBytes { get; set; } = ByteSize.FromKiB(64);

    /// <summary>
    /// Room that is made at most ahead of small batches in a segment's file, which makes their sync shorter. 0 makes
    /// none.
    /// </summary>
    public ByteSize FillAheadBytesMax { get; set; } = ByteSize.FromMiB(1);

    /// <summary>
    /// Size of each of the two files by which small batches of several partitions share a sync. 0: each partition syncs
    /// a file of its own.
    /// </summary>
    public ByteSize WriteAheadBytes { get; set; } = ByteSize.FromMiB(4);

    /// <summary>A larger batch is synced by itself: it would be written twice for little.</summary>
    public ByteSize SharedBatchBytesMax { get; set; } = ByteSize.FromKiB(16);

    /// <summary>Bytes of a partition that wait for the disk; beyond them, appends wait for room.</summary>
    public ByteSize PendingBytesMax { get; set; } = ByteSize.FromMiB(4);

    /// <summary>The most bytes that one append may have.</summary>
    public ByteSize AppendBytesMax { get; set; } = ByteSize.FromMiB(16);

    /// <summary>
    /// A record whose time is further ahead of the clock than this is a dead letter of whoever reads it, and Kafka
    /// refuses it of every producer. Taken, it would make late whatever comes behind it.
    /// </summary>
    public TimeSpan TimeAheadMax { get; set; } = TimeSpan.FromHours(1);

    /// <summary>
    /// When an append waits longer than this for the brokers of Kafka, the process is not ready (LOG-0015).
    /// </summary>
    public TimeSpan AppendWaitMax { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>With less room on the disk, appends are refused (LOG-0005). 0 turns this guard off.</summary>
    public ByteSize FreeBytesMin { get; set; } = ByteSize.FromMiB(256);

    /// <summary>Threads that write and sync: one for all small batches, the others each for a large one.</summary>
    [Range(1, 256)]
    public int WriterThreads { get; set; } = 8;
}

/// <summary>Checks what attributes cannot say.</summary>
internal sealed class EventLogOptionsValidator : IValidateOptions<EventLogOptions>
{
    // Clocks of one cluster differ by less, as long as any of them is right.
    private static readonly TimeSpan AheadLeast = TimeSpan.FromMinutes(1), AheadMost = TimeSpan.FromDays(365);

    public ValidateOptionsResult Validate(string? name, EventLogOptions options)
    {
        var failures = new List<string>();
        Between(nameof(options.SegmentBytesMax), options.SegmentBytesMax, ByteSize.FromKiB(4), ByteSize.FromGiB(1));
        Between(nameof(options.IndexIntervalBytes), options.IndexIntervalBytes, ByteSize.FromKiB(4),
            ByteSize.FromMiB(64));
        Between(nameof(options.FillAheadBytesMax), options.FillAheadBytesMax, default, ByteSize.FromMiB(64));
        if (options.WriteAheadBytes.Bytes != 0)
        {
            Between(nameof(options.WriteAheadBytes), options.WriteAheadBytes, ByteSize.FromKiB(64),
                ByteSize.FromMiB(64));
        }

        Between(nameof(options.SharedBatchBytesMax), options.SharedBatchBytesMax, ByteSize.FromKiB(1),
            ByteSize.FromMiB(1));
        Between(nameof(options.PendingBytesMax), options.PendingBytesMax, ByteSize.FromKiB(4), ByteSize.FromMiB(256));
        Between(nameof(options.AppendBytesMax), options.AppendBytesMax, ByteSize.FromKiB(4), ByteSize.FromMiB(256));
        if (options.SegmentAgeMax <= TimeSpan.Zero)
            failures.Add($"EventLog:{nameof(options.SegmentAgeMax)} is {options.SegmentAgeMax}; make it more than 0.");
        if (options.AppendWaitMax <= TimeSpan.Zero)
            failures.Add($"EventLog:{nameof(options.AppendWaitMax)} is {options.AppendWaitMax}; make it more than 0.");
        if (options.TimeAheadMax < AheadLeast || options.TimeAheadMax > AheadMost)
            failures.Add($"EventLog:{nameof(options.TimeAheadMax)} is {options.TimeAheadMax}; choose from {AheadLeast} "
                + $"to {AheadMost}.");
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);

        void Between(string key, ByteSize value, ByteSize least, ByteSize most)
        {
            if (value.CompareTo(least) < 0 || value.CompareTo(most) > 0)
                failures.Add($"EventLog:{key} is {value}; choose from {least} to {most}.");
        }
    }
}
