namespace Millrace.Stores.Queries;

/// <summary>What a running query says of itself, for the API; written every few seconds.</summary>
public sealed record QueryStatus(
    string Name, int Version, QueryState State, string? Error, long RowsIn, long RowsOut, long RowsFailed,
    double RowsInPerSecond, double RowsOutPerSecond, long LagRecords, DateTimeOffset? Watermark,
    DateTimeOffset UpdatedAt)
{
    /// <summary>A node that was silent for so long while others spoke does not run the query any more.</summary>
    private static readonly TimeSpan SilenceMax = TimeSpan.FromSeconds(15);

    /// <summary>The process that says so, of those that run it; empty when it is what all of them say.</summary>
    public string Node { get; init; } = "";

    /// <summary>From when on rows are counted: the start of the process that has run the query longest.</summary>
    public DateTimeOffset? CountedSince { get; init; }

    /// <summary>What the nodes say together of the newest version; null when there is nothing.</summary>
    public static QueryStatus? Together(IReadOnlyList<QueryStatus> nodes)
    {
        if (nodes.Count == 0) return null;
        var (version, newest) = (nodes.Max(n => n.Version), nodes.Max(n => n.UpdatedAt));
        var live = nodes.Where(n => n.Version == version && newest - n.UpdatedAt < SilenceMax).ToList();
        if (live.Count == 0) live = [nodes.Where(n => n.Version == version).MaxBy(n => n.UpdatedAt)!];
        var failed = live.FirstOrDefault(n => n.State == QueryState.Failed);
        return live[0] with
        {
            Node = "",
            State = (failed ?? live[0]).State,
            Error = failed?.Error,
            RowsIn = live.Sum(n => n.RowsIn),
            RowsOut = live.Sum(n => n.RowsOut),
            RowsFailed = live.Sum(n => n.RowsFailed),
            RowsInPerSecond = Math.Round(live.Sum(n => n.RowsInPerSecond), 1),
            RowsOutPerSecond = Math.Round(live.Sum(n => n.RowsOutPerSecond), 1),
            LagRecords = live.Sum(n => n.LagRecords),
            Watermark = live.Min(n => n.Watermark),
            CountedSince = live.Min(n => n.CountedSince),
            UpdatedAt = newest,
        };
    }
}
