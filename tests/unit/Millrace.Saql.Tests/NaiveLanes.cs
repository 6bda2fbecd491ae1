namespace Millrace.Saql.Tests;

/// <summary>
/// Rows of one input or two whose rooms have timelines of their own, over all partitions or in each: what comes out of
/// a query, and when.
/// </summary>
internal sealed class NaiveLanes
{
    private const long Longest = 6_000;

    private readonly NaiveScenario _scenario;
    private readonly bool _hasAlerts;
    private readonly List<string> _outputs;
    private readonly long _least;
    private readonly (long Size, long Hop) _hopping;
    private readonly long _size;
    private readonly long _sliding;
    private readonly long _timeout;
    private readonly long _back;
    private readonly (long Low, long High) _bound;

    public NaiveLanes(int seed, NaiveScenario scenario, bool hasAlerts)
    {
        var random = new Random(seed ^ 0x1A9E);
        (_scenario, _hasAlerts) = (scenario, hasAlerts);
        ByPartition = random.Next(2) == 0;
        _least = random.Next(6);
        _hopping = (random.Next(1, 7) * 1_000, random.Next(1, 4) * 1_000);
        _size = random.Next(1, 5) * 1_000;
        _sliding = random.Next(1, 4) * 1_000;
        _timeout = random.Next(1, 5) * 500;
        _back = random.Next(1, 6) * 1_000;
        _bound = random.Next(4) switch { 0 => (0, 3), 1 => (-2, 2), 2 => (1, 4), _ => (-3, -1) };
        var all = Queries.Keys.Where(output => output != "both" || hasAlerts).ToArray();
        random.Shuffle(all);
        _outputs = [.. all.Take(random.Next(1, all.Length + 1))];
    }

    /// <summary>A room of one partition has nothing to do with the same of another.</summary>
    public bool ByPartition { get; }

    public string Query => $"WITH u AS ({United}), w AS (SELECT {Items}COUNT(*) AS n FROM u " +
        $"GROUP BY {Key}, TumblingWindow(ms, {_size})) " + string.Join(" ", _outputs.Select(one => Queries[one]));

    /// <summary>What comes out at all.</summary>
    public List<Due> Expected(List<(long At, NaiveEvent Event)> rows) =>
        [.. rows.GroupBy(row => (row.Event.Room, Partition: ByPartition ? row.Event.Source.Partition : 0))
            .SelectMany(group => Of([.. group], group.Key))];

    private string Key => ByPartition ? "room, PartitionId" : "room";

    private string Items => ByPartition ? "room, PartitionId, " : "room, ";

    private string By => $"TIMESTAMP BY ts OVER {Key}";

    private string Other => _hasAlerts ? "alerts" : "telemetry";

    private string United => $"SELECT {Items}x, 0 AS k FROM telemetry {By}" + (_hasAlerts
        ? $" UNION SELECT {Items}x, 1 AS k FROM alerts {By} WHERE x IS NULL OR x > {_least}"
        : "");

    private string Joined(string items) => $"SELECT a.room, {(ByPartition ? "a.PartitionId, " : "")}{items}";

    private string On => $"ON a.room = b.room {(ByPartition ? "AND a.PartitionId = b.PartitionId " : "")}" +
        $"AND DATEDIFF(second, a, b) BETWEEN {_bound.Low} AND {_bound.High}";

    private Dictionary<string, string> Queries => new()
    {
        ["hopping"] = $"SELECT {Items}COUNT(*) AS n, SUM(x) AS s, System.Timestamp() AS t INTO hopping FROM u " +
            $"GROUP BY {Key}, HoppingWindow(ms, {_hopping.Size}, {_hopping.Hop})",
        ["sliding"] = $"SELECT {Items}COUNT(*) AS n, SUM(k) AS s, System.Timestamp() AS t INTO sliding FROM u " +
            $"GROUP BY {Key}, SlidingWindow(ms, {_sliding})",
        ["sessions"] = $"SELECT {Items}COUNT(*) AS n, SUM(k) AS s, System.Timestamp() AS t INTO sessions FROM u " +
            $"GROUP BY {Key}, SessionWindow(ms, {_timeout}, {Longest}) OVER (PARTITION BY {Key})",
        ["summed"] = $"SELECT {Items}COUNT(*) AS n, SUM(n) AS s, System.Timestamp() AS t INTO summed FROM w " +
            $"GROUP BY {Key}, TumblingWindow(second, 4)",
        ["back"] = $"SELECT {Items}x, LAG(x) OVER (PARTITION BY {Key} LIMIT DURATION(ms, {_back})) AS l INTO back " +
            "FROM u",
        ["both"] = $"SELECT {Items}x, 0 AS k INTO both FROM telemetry {By} WHERE x <> 3 " +
            $"SELECT {Items}x, 1 AS k INTO both FROM alerts {By} WHERE x <> 4",
        ["joined"] = $"{Joined("a.x AS ax, b.x AS bx, System.Timestamp() AS t")} INTO joined " +
            $"FROM telemetry a {By} JOIN {Other} b {By} {On}",
        ["absent"] = $"{Joined("a.x AS ax, b.x AS bx")} INTO absent FROM telemetry a {By} " +
            $"LEFT JOIN {Other} b {By} {On} AND b.x > 2",
    };

    private IEnumerable<Due> Of(List<(long At, NaiveEvent Event)> all, (int Room, int Partition) key)
    {
        var rows = all.Where(row => K(row.Event) == 0 || row.Event.X is null || row.Event.X > _least).ToList();
        var (w, room) = (Naive.Windows(rows, _size, _size, 0, e => e.Room), key.Room);
        List<(long At, long N)> counts = [.. w.Select(group => (group.End, (long)group.Rows.Count))];
        IEnumerable<Due> due =
        [
            .. Naive.Windows(rows, _hopping.Size, _hopping.Hop, 0, e => e.Room).Select(group =>
                Closed("hopping", group.End, group.Rows.Count, Naive.Sum(group.Rows.Select(e => e.X)))),
            .. Naive.Sliding(rows, _sliding).Select(group =>
                Closed("sliding", group.End, group.Events.Count, group.Events.Sum(K))),
            .. Naive.Sessions(rows, _timeout, Longest, areOwn: true).Select(group =>
                Closed("sessions", group.End, group.Events.Count, group.Events.Sum(K))),
            .. Naive.Windows(counts, 4_000, 4_000, 0, _ => 0).Select(group =>
                Closed("summed", group.End, group.Rows.Count, group.Rows.Sum())),
            .. rows.Select((row, i) => Taken("back", row.At, row.Event, ("x", row.Event.X), ("l", rows[..i]
                .Where(before => before.At > row.At - (_back * Naive.Ms)).Select(before => before.Event.X)
                .LastOrDefault()))),
            .. all.Where(row => row.Event.X is { } x && x != 3 + K(row.Event)).Select(row =>
                Taken("both", row.At, row.Event, ("x", row.Event.X), ("k", K(row.Event)))),
            .. Matches(all, null, (_, _) => true).Select(match => Taken("joined", match.At, match.By!,
                ("ax", match.Left.X), ("bx", match.Right?.X), ("t", Naive.Time(match.At)))),
            .. Matches(all, _bound.High, (_, b) => b.X > 2).Select(match => new Due("absent", match.At, match.By, key,
                Row(("ax", match.Left.X), ("bx", match.Right?.X)))),
        ];
        return due.Where(one => _outputs.Contains(one.Output));

        Due Closed(string output, long end, long n, long? s) => new(output, end, null, key,
            Row(("n", n), ("s", s), ("t", Naive.Time(end))));

        Due Taken(string output, long at, NaiveEvent by, params (string, object?)[] columns) =>
            new(output, at, by, key, Row(columns));

        string Row(params (string, object?)[] columns) => Naive.Row(ByPartition
            ? [("room", room), ("PartitionId", key.Partition), .. columns]
            : [("room", room), .. columns]);
    }

    private List<NaiveMatch> Matches(
        List<(long At, NaiveEvent Event)> rows, long? last, Func<NaiveEvent, NaiveEvent, bool> fits) =>
        NaiveJoin.Of(rows, last, (a, b) =>
        {
            var apart = Naive.Seconds(a.At, b.At);
            return apart >= _bound.Low && apart <= _bound.High && fits(a.Event, b.Event);
        }, e => K(e) == 0, e => K(e) == 1 || !_hasAlerts);

    private static long K(NaiveEvent e) => e.Source.Topic == "alerts" ? 1 : 0;

    /// <param name="By">The event that makes it; null when only time does.</param>
    internal sealed record Due(string Output, long At, NaiveEvent? By, (int Room, int Partition) Key, string Json)
    {
        public bool IsOut(NaiveProgress progress) =>
            By is null ? progress.HasClosed(At, Key.Room, Key.Partition) : progress.HasTaken(At, By);
    }
}
