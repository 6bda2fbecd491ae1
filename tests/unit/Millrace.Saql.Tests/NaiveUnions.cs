namespace Millrace.Saql.Tests;

/// <summary>Several windows over the same events, and rows of several SELECTs as one stream.</summary>
internal sealed class NaiveUnions
{
    private const long Longest = 6_000;
    private const long Last = 4_000;

    private readonly NaiveScenario _scenario;
    private readonly List<Definition> _windows;
    private readonly bool _haveIds;
    private readonly long _size;
    private readonly long _least;

    public NaiveUnions(int seed, NaiveScenario scenario)
    {
        var random = new Random(seed ^ 0x0A11);
        _scenario = scenario;
        _haveIds = random.Next(4) > 0;
        _size = random.Next(1, 5) * 1_000;
        _least = random.Next(1, 4);
        var (tumbling, hopping, hop) = (Seconds(1, 5), Seconds(1, 7), Seconds(1, 4));
        var (sliding, timeout, isOwn) = (Seconds(1, 4), Seconds(1, 4) / 2, random.Next(2) == 0);
        Definition[] all =
        [
            new($"TumblingWindow(ms, {tumbling})", rows => Naive.Windows(rows, tumbling, tumbling, 0, e => e.Room)),
            new($"HoppingWindow(ms, {hopping}, {hop})", rows => Naive.Windows(rows, hopping, hop, 0, e => e.Room)),
            new("System.Timestamp()", rows => Naive.Instants(rows, e => e.Room)),
            new($"SlidingWindow(ms, {sliding})", rows => Naive.Sliding(rows, sliding)),
            new($"SessionWindow(ms, {timeout}, {Longest}){(isOwn ? " OVER (PARTITION BY room)" : "")}",
                rows => Naive.Sessions(rows, timeout, Longest, isOwn)),
        ];
        random.Shuffle(all);
        _windows = [.. all.Take(random.Next(2, 6))];

        long Seconds(int from, int to) => random.Next(from, to) * 1_000;
    }

    public string Query =>
        $"WITH w AS (SELECT room AS k, COUNT(*) AS n FROM telemetry {By} " +
        $"GROUP BY room, TumblingWindow(ms, {_size})), " +
        $"u AS (SELECT k, n FROM w UNION SELECT x AS k, room AS n FROM telemetry {By} WHERE x IS NULL OR x > 2 " +
        $"UNION SELECT k, n FROM w WHERE n > {_least}) " +
        $"SELECT System.Window().Id AS w, room, COUNT(*) AS n, SUM(x) AS s, System.Timestamp() AS t INTO several " +
        $"FROM telemetry {By} GROUP BY room, Windows({string.Join(", ", _windows.Select(Named))}) " +
        $"SELECT k, n, System.Timestamp() AS t INTO united FROM u " +
        $"SELECT k, COUNT(*) AS c, SUM(n) AS s, System.Timestamp() AS t INTO summed FROM u " +
        $"GROUP BY k, TumblingWindow(ms, {Last})";

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var rows = _scenario.Ordered(out dropped);
        var united = United(rows).OrderBy(row => row.At).ToList();
        return new()
        {
            ["several"] = [.. _windows.SelectMany(window => window.Groups(rows).Select(group => (window, group)))
                .OrderBy(row => row.group.End)
                .Select(row => Naive.Row(("w", _haveIds ? Id(row.window) : null), ("room", row.group.Room),
                    ("n", row.group.Events.Count), ("s", Naive.Sum(row.group.Events.Select(e => e.X))),
                    ("t", Naive.Time(row.group.End))))],
            ["united"] = [.. united.Select(row => Naive.Row(
                ("k", row.Row.K), ("n", row.Row.N), ("t", Naive.Time(row.At))))],
            ["summed"] = [.. Naive.Windows(united, Last, Last, 0, row => ValueTuple.Create(row.K)).Select(group =>
                Naive.Row(("k", group.Key.Item1), ("c", group.Rows.Count), ("s", group.Rows.Sum(row => row.N)),
                    ("t", Naive.Time(group.End))))],
        };
    }

    private string By => _scenario.By;

    private string Named(Definition window) => _haveIds ? $"Window('{Id(window)}', {window.Text})" : window.Text;

    private string Id(Definition window) => $"w{_windows.IndexOf(window)}";

    private IEnumerable<(long At, (long? K, long N) Row)> United(List<(long At, NaiveEvent Event)> rows)
    {
        foreach (var (end, room, events) in Naive.Windows(rows, _size, _size, 0, e => e.Room))
        {
            yield return (end, (room, events.Count));
            if (events.Count > _least) yield return (end, (room, events.Count));
        }

        foreach (var (at, e) in rows)
        {
            if (e.X is null or > 2) yield return (at, (e.X, e.Room));
        }
    }

    private sealed record Definition(
        string Text,
        Func<List<(long At, NaiveEvent Event)>, List<(long End, int Room, List<NaiveEvent> Events)>> Groups);
}
