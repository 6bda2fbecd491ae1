namespace Millrace.Contracts;

/// <summary>The names under which the platform's own consumers commit to the log.</summary>
public static class ConsumerGroups
{
    /// <summary>Retention never trims telemetry past this one.</summary>
    public const string WarmWriter = "warm-writer";

    /// <summary>Retention never trims telemetry past this one.</summary>
    public const string Archiver = "archiver";

    /// <summary>Brings messages to devices: to their connections, and into their sessions.</summary>
    public const string GatewayDelivery = "gateway-delivery";

    /// <summary>Whether processes share what the group reads; else each of them reads all of it.</summary>
    public static bool IsShared(string group) => group != GatewayDelivery;

    private const string QueryPrefix = "query.", CheckpointPrefix = "checkpoint.", BridgePrefix = "bridge.";
    private const string TargetPrefix = "repartition.", DealerPrefix = "repartition-from.";
    private const string ArchivePrefix = "archive.";

    /// <summary>The group of a query: a hint for retention and lag; its checkpoint rules.</summary>
    public static string OfQuery(string name) => QueryPrefix + name;

    /// <summary>
    /// Where a query's outputs stood at its checkpoint: whoever takes the query over reads them from there on, so
    /// retention never trims past it.
    /// </summary>
    public static string OfCheckpoint(string query) => CheckpointPrefix + query;

    /// <summary>
    /// The group of a query's second stage on its repartition topic. Retention never trims past it.
    /// </summary>
    public static string OfRepartition(string query) => TargetPrefix + query;

    /// <summary>
    /// Where the repartition topic stood at the checkpoint of one place of the first stage: whoever takes the place
    /// over reads it from there on, so retention never trims past it.
    /// </summary>
    public static string OfDealer(string query, int place) => $"{DealerPrefix}{place}.{query}";

    /// <summary>The group that archives a query's output. Retention never trims past it.</summary>
    public static string OfArchive(string output) => ArchivePrefix + output;

    /// <summary>The output that the group archives, or null.</summary>
    public static string? ArchivedOutputOf(string group) =>
        group.StartsWith(ArchivePrefix, StringComparison.Ordinal) ? group[ArchivePrefix.Length..] : null;

    /// <summary>The group of what a bridge brings out to its broker.</summary>
    public static string OfBridge(string name) => BridgePrefix + name;

    public static bool IsBridge(string group) => group.StartsWith(BridgePrefix, StringComparison.Ordinal);

    public static bool IsQuery(string group) => group.StartsWith(QueryPrefix, StringComparison.Ordinal);

    /// <summary>The query that a group belongs to, or null.</summary>
    public static string? QueryOf(string group)
    {
        foreach (var prefix in (string[])[QueryPrefix, CheckpointPrefix, TargetPrefix])
        {
            if (group.StartsWith(prefix, StringComparison.Ordinal)) return group[prefix.Length..];
        }

        return group.StartsWith(DealerPrefix, StringComparison.Ordinal)
            ? group[(group.IndexOf('.', DealerPrefix.Length) + 1)..]
            : null;
    }
}
