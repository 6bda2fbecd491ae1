namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Checks what attributes cannot say; above all that no partition grows past its limit.</summary>
internal static class CassandraTelemetryOptionsValidator
{
    private const string Section = "Cassandra:Telemetry";

    private static readonly TimeSpan LeadLeast = TimeSpan.FromHours(1), LeadMost = TimeSpan.FromDays(366);

    /// <summary>
    /// What a message's own time may lie ahead of its record's, how long a layout is believed and how far clocks may be
    /// apart, together and a little more.
    /// </summary>
    private static readonly TimeSpan LeadBeyondRecords = TimeSpan.FromMinutes(10);

    /// <summary>
    /// What a partition may come to hold: a device at its limit, beside an even share of all the others.
    /// </summary>
    public static double PartitionBytes(CassandraTelemetryOptions options) => options.Bucket.TotalSeconds *
        (options.DeviceBytesPerSecond.Bytes + ((double)options.HubBytesPerSecond.Bytes / options.Shards));

    /// <param name="timeAheadMax">How far ahead of the clock the time of a record is believed.</param>
    public static IEnumerable<string> Failures(CassandraTelemetryOptions options, TimeSpan timeAheadMax)
    {
        if (options.Bucket < TimeSpan.FromSeconds(1) || options.Bucket > TimeSpan.FromDays(7)
            || options.Bucket.Ticks % TimeSpan.TicksPerMillisecond != 0)
            yield return $"{Section}:Bucket is {options.Bucket}; choose whole milliseconds from 1s to 7d.";
        var ahead = timeAheadMax + LeadBeyondRecords;
        if (options.ChangeLead < LeadLeast || options.ChangeLead < ahead || options.ChangeLead > LeadMost)
        {
            yield return $"{Section}:ChangeLead is {options.ChangeLead}; choose from {LeadLeast} to {LeadMost}, and no "
                + $"less than {ahead}, EventLog:TimeAheadMax and {LeadBeyondRecords.TotalMinutes} minutes.";
        }

        if (options.BatchBytes.Bytes is < 10 << 10 or > 64 << 10)
            yield return $"{Section}:BatchBytes is {options.BatchBytes}; choose from 10KiB to 64KiB.";
        if (options.DeviceBytesPerSecond.Bytes < 1)
            yield return $"{Section}:DeviceBytesPerSecond is {options.DeviceBytesPerSecond}; choose 1 or more.";
        if (options.HubBytesPerSecond.Bytes < options.DeviceBytesPerSecond.Bytes)
        {
            yield return $"{Section}:HubBytesPerSecond is {options.HubBytesPerSecond}; choose no less than "
                + $"DeviceBytesPerSecond, {options.DeviceBytesPerSecond}.";
        }

        var bytes = PartitionBytes(options);
        if (bytes > CassandraTelemetryOptions.PartitionBytesMax)
        {
            yield return $"{Section}:Bucket is {options.Bucket}; a "
                + $"partition would reach {bytes:n0} bytes, Bucket x (DeviceBytesPerSecond + HubBytesPerSecond / "
                + $"Shards), and may reach {CassandraTelemetryOptions.PartitionBytesMax:n0}. Choose a shorter bucket, "
                + "lower rates, or more shards.";
        }
    }
}
