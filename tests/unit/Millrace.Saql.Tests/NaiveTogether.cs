namespace Millrace.Saql.Tests;

/// <summary>Rows of two inputs as one stream. Each input has its own time, and events late in its own way.</summary>
internal sealed class NaiveTogether
{
    private const long Longest = 6_000;

    private readonly NaiveScenario _scenario;
    private readonly long _least;
    private readonly (long Size, long Hop) _hopping;
    private readonly long _sliding;
    private readonly long _timeout;
    private readonly long _back;
    private readonly (long Telemetry, long Alerts) _sizes;

    public NaiveTogether(int seed, NaiveScenario scenario)
    {
        var random = new Random(seed ^ 0x2B1D);
        _scenario = scenario;
        _least = random.Next(6);
        _hopping = (random.Next(1, 7) * 1_000, random.Next(1, 4) * 1_000);
        _sliding = random.Next(1, 4) * 1_000;
        _timeout = random.Next(1, 5) * 500;
        _back = random.Next(1, 6) * 1_000;
        _sizes = (random.Next(1, 5) * 1_000, random.Next(1, 5) * 1_000);
    }

    public string Query =>
        $"WITH u AS (SELECT room, x, 0 AS k FROM telemetry {By("telemetry")} " +
        $"UNION SELECT room, x, 1 AS k FROM alerts {By("alerts")} WHERE x IS NULL OR x > {_least}), " +
        $"w AS (SELECT room, COUNT(*) AS n FROM telemetry {By("telemetry")} " +
        $"GROUP BY room, TumblingWindow(ms, {_sizes.Telemetry}) UNION SELECT room, MAX(x) AS n " +
        $"FROM alerts {By("alerts")} GROUP BY room, TumblingWindow(ms, {_sizes.Alerts})) " +
        $"SELECT room, x, k, System.Timestamp() AS t INTO merged FROM u " +
        $"SELECT room, COUNT(*) AS n, SUM(x) AS s, SUM(k) AS k, System.Timestamp() AS t INTO hopping FROM u " +
        $"GROUP BY room, HoppingWindow(ms, {_hopping.Size}, {_hopping.Hop}) " +
        $"SELECT room, COUNT(*) AS n, SUM(k) AS k, System.Timestamp() AS t INTO sliding FROM u " +
        $"GROUP BY room, SlidingWindow(ms, {_sliding}) " +
        $"SELECT room, COUNT(*) AS n, SUM(k) AS k, System.Timestamp() AS t INTO sessions FROM u " +
        $"GROUP BY room, SessionWindow(ms, {_timeout}, {Longest}) OVER (PARTITION BY room) " +
        $"SELECT x, LAG(x) OVER (PARTITION BY room LIMIT DURATION(ms, {_back})) AS l, " +
        $"SUM(k) OVER (PARTITION BY room LIMIT DURATION(ms, {_back})) AS k INTO back FROM u " +
        $"SELECT x, 0 AS k INTO both FROM telemetry {By("telemetry")} WHERE x <> 3 " +
        $"SELECT x, 1 AS k INTO both FROM alerts {By("alerts")} WHERE x <> 4 " +
        $"SELECT room, n, System.Timestamp() AS t INTO united FROM w " +
        $"SELECT room, COUNT(*) AS c, SUM(n) AS s, System.Timestamp() AS t INTO summed FROM w " +
        $"GROUP BY room, TumblingWindow(second, 4)";

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var all = _scenario.OrderedTogether(out dropped);
        var rows = all.Where(row => K(row.Event) == 0 || row.Event.X is null || row.Event.X > _least).ToList();
        var united = United(all).OrderBy(row => row.At).ToList();
        return new()
        {
            ["merged"] = [.. rows.Select(row => Naive.Row(("room", row.Event.Room), ("x", row.Event.X),
                ("k", K(row.Event)), ("t", Naive.Time(row.At))))],
            ["hopping"] = [.. Naive.Windows(rows, _hopping.Size, _hopping.Hop, 0, e => e.Room).Select(group =>
                Naive.Row(("room", group.Key), ("n", group.Rows.Count),
                    ("s", Naive.Sum(group.Rows.Select(e => e.X))), ("k", group.Rows.Sum(K)),
                    ("t", Naive.Time(group.End))))],
            ["sliding"] = [.. Naive.Sliding(rows, _sliding).Select(Counted)],
            ["sessions"] = [.. Naive.Sessions(rows, _timeout, Longest, areOwn: true).Select(Counted)],
            ["back"] = [.. rows.Select((row, i) => Back(row, rows[..i]))],
            ["both"] = [.. all.Where(row => row.Event.X is { } x && x != 3 + K(row.Event))
                .Select(row => Naive.Row(("x", row.Event.X), ("k", K(row.Event))))],
            ["united"] = [.. united.Select(row => Naive.Row(
                ("room", row.Row.Room), ("n", row.Row.N), ("t", Naive.Time(row.At))))],
            ["summed"] = [.. Naive.Windows(united, 4_000, 4_000, 0, row => row.Room).Select(group => Naive.Row(
                ("room", group.Key), ("c", group.Rows.Count), ("s", Naive.Sum(group.Rows.Select(row => row.N))),
                ("t", Naive.Time(group.End))))],
        };
    }

    private string By(string input) => _scenario.ByOf(input);

    private static long K(NaiveEvent e) => e.Source.Topic == "alerts" ? 1 : 0;

    private static string Counted((long End, int Room, List<NaiveEvent> Events) group) => Naive.Row(
        ("room", group.Room), ("n", group.Events.Count), ("k", group.Events.Sum(K)), ("t", Naive.Time(group.End)));

    private string Back((long At, NaiveEvent Event) now, List<(long At, NaiveEvent Event)> before)
    {
        var recent = before.Where(row => row.Event.Room == now.Event.Room && row.At > now.At - (_back * Naive.Ms))
            .Select(row => row.Event).ToList();
        return Naive.Row(("x", now.Event.X), ("l", recent.LastOrDefault()?.X),
            ("k", recent.Append(now.Event).Sum(K)));
    }

    private IEnumerable<(long At, (int Room, long? N) Row)> United(List<(long At, NaiveEvent Event)> all)
    {
        var (telemetry, alerts) = (all.Where(row => K(row.Event) == 0), all.Where(row => K(row.Event) == 1));
        return [.. Naive.Windows([.. telemetry], _sizes.Telemetry, _sizes.Telemetry, 0, e => e.Room)
            .Select(group => (group.End, (group.Key, (long?)group.Rows.Count))),
            .. Naive.Windows([.. alerts], _sizes.Alerts, _sizes.Alerts, 0, e => e.Room)
            .Select(group => (group.End, (group.Key, group.Rows.Max(e => e.X))))];
    }
}
