namespace Millrace.Stores.Cassandra.Telemetry;

/// <summary>Checks what attributes cannot say; above all that no partition grows past its limit.</summary>
internal static class CassandraTelemetryOptionsValidator
{
    private const string Section = "Cassandra:Telemetry";

    /// <summary>
    /// What a partition may come to hold: a device at its limit, beside an even share of all the others.
    /// </summary>
    public static double PartitionBytes(CassandraTelemetryOptions options) => options.Bucket.TotalSeconds *
        (options.DeviceBytesPerSecond.Bytes + ((double)options.HubBytesPerSecond.Bytes / options.Shards));

    public static IEnumerable<string> Failures(CassandraTelemetryOptions options)
    {
        if (options.Bucket < TimeSpan.FromSeconds(1) || options.Bucket > TimeSpan.FromDays(7)
            || options.Bucket.Ticks % TimeSpan.TicksPerMillisecond != 0)
            yield return $"{Section}:Bucket is {options.Bucket}; choose whole milliseconds from 1s to 7d.";
        if (options.ChangeLead < TimeSpan.FromHours(1) || options.ChangeLead > TimeSpan.FromDays(30))
            yield return $"{Section}:ChangeLead is {options.ChangeLead}; choose from 1h to 30d.";
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
