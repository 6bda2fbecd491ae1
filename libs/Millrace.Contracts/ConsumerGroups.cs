namespace Millrace.Contracts;

/// <summary>The names under which the platform's own consumers commit to the log.</summary>
public static class ConsumerGroups
{
    /// <summary>Retention never trims telemetry past this one.</summary>
    public const string WarmWriter = "warm-writer";

    /// <summary>Retention never trims telemetry past this one.</summary>
    public const string Archiver = "archiver";

    private const string QueryPrefix = "query.";

    /// <summary>The group of a query: a hint for retention and lag; its checkpoint rules.</summary>
    public static string OfQuery(string name) => QueryPrefix + name;

    /// <summary>The group of what a bridge brings out to its broker.</summary>
    public static string OfBridge(string name) => "bridge." + name;

    public static bool IsQuery(string group) => group.StartsWith(QueryPrefix, StringComparison.Ordinal);
}
