using System.Diagnostics.Metrics;

namespace Millrace.Stores;

internal static class StoreMetrics
{
    private static readonly Meter Meter = new("Millrace.Stores");

    /// <summary>Rows that retention removed, by kind.</summary>
    public static readonly Counter<long> Expired = Meter.CreateCounter<long>("millrace.stores.rows.expired");
}
