using System.Diagnostics.Metrics;

namespace Millrace.Stores;

internal static class StoreMetrics
{
    private static readonly Meter Meter = new("Millrace.Stores");

    /// <summary>Rows that retention removed, by kind.</summary>
    public static readonly Counter<long> Expired = Meter.CreateCounter<long>("millrace.stores.rows.expired");

    /// <summary>Rows that the store will not take however often they come, by reason.</summary>
    public static readonly Counter<long> Refused = Meter.CreateCounter<long>("millrace.stores.rows.refused");

    /// <summary>Requests that the database could not carry out; the reason is the error's code.</summary>
    public static readonly Counter<long> Failures = Meter.CreateCounter<long>("millrace.stores.failures");

    /// <summary>Bytes of states that checkpoints wrote; what they had already is not written again.</summary>
    public static readonly Counter<long> StateWritten =
        Meter.CreateCounter<long>("millrace.stores.checkpoint.written", "By");

    /// <summary>Bytes of states that checkpoints had already.</summary>
    public static readonly Counter<long> StateKept = Meter.CreateCounter<long>("millrace.stores.checkpoint.kept", "By");

    /// <summary>Partitions of telemetry that were filled beyond what the options were reckoned for.</summary>
    public static readonly Counter<long> PartitionsOversized =
        Meter.CreateCounter<long>("millrace.stores.partitions.oversized");
}
