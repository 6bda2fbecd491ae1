namespace Millrace.Stores.Cassandra.Repairs;

/// <summary>A repair that ended well, of these tables in these parts of the ring.</summary>
internal sealed record Repair(DateTimeOffset At, IReadOnlySet<string> Tables, IReadOnlyList<TokenRange> Ranges)
{
    /// <summary>
    /// Since when every row of each table was repaired at least once; a table that never was as a whole counts from
    /// <paramref name="begin"/>.
    /// </summary>
    public static DateTimeOffset WholeSince(
        IReadOnlyCollection<Repair> repairs, IEnumerable<string> tables, DateTimeOffset begin)
    {
        var newestFirst = repairs.OrderByDescending(repair => repair.At).ToList();
        return tables.Select(table => WholeSince(newestFirst.Where(repair => repair.Tables.Contains(table))) ?? begin)
            .DefaultIfEmpty(begin).Min();
    }

    /// <summary>Goes back in time until no gap is left.</summary>
    private static DateTimeOffset? WholeSince(IEnumerable<Repair> newestFirst)
    {
        List<TokenRange> gaps = [TokenRange.Ring];
        foreach (var repair in newestFirst)
        {
            foreach (var range in repair.Ranges) gaps = [.. gaps.SelectMany(gap => gap.Without(range))];

            // No row has the lowest token.
            if (gaps.All(gap => gap.Last == 0)) return repair.At;
        }

        return null;
    }
}
