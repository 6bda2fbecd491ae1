using System.Globalization;

namespace Millrace.Contracts;

/// <summary>
/// The identity of a row that a query made: what the same log makes again under the same id. Sinks upsert by it.
/// </summary>
public static class RowIdentity
{
    /// <summary>A row that came from one source record without a window.</summary>
    public static string OfRecord(
        string query, int version, string output, TopicPartition source, long offset, int element, int row) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{query}/{version}/{output}/{source.Topic}/{source.Partition}/o{offset}/{element}.{row}");

    /// <summary>A row of a window: no single source record; <paramref name="groupKey"/> in a stable text
    /// form.</summary>
    public static string OfWindow(
        string query, int version, string output, TopicPartition source, string windowId, long startMs, long endMs,
        string groupKey, int row) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{query}/{version}/{output}/{source.Topic}/{source.Partition}/" +
            $"w{windowId}:{startMs}-{endMs}/{groupKey}/{row}");
}
