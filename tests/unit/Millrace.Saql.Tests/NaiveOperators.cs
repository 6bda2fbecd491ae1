using System.Text.RegularExpressions;

namespace Millrace.Saql.Tests;

/// <summary>
/// What operators other than regular windows mean, by looking at all events. Rows of an output come in the order of
/// the events that trigger them; what only time triggers comes behind the events of its instant.
/// </summary>
internal sealed class NaiveOperators
{
    private const long Longest = 6_000;

    private static readonly string[] Patterns =
        ["A+ B", "A B* C", "(A | B)+ C", "A? B", "A (B | C)? A", "(A B | A)+ C?", "A A* (B+ | C)",
            "(A*)* B", "(A* B?)+ C", "((A? | B)* C?)*", "(A? B?)+", "((A | B?)+ A?)* C", "A ((B* | C)+ (A?)*)* B"];

    private static readonly string[] Defines = ["A AS x < 3", "B AS x >= 3 AND B.x < 6", "C AS Last(C.x) >= 6"];

    private readonly NaiveScenario _scenario;
    private readonly long _size;
    private readonly long _timeout;
    private readonly bool _ownSessions;
    private readonly long _back;
    private readonly int _offset;
    private readonly (long Low, long High) _bound;
    private readonly bool _constantsFirst;
    private readonly string _pattern;
    private readonly NaiveTexts _texts;

    public NaiveOperators(int seed, NaiveScenario scenario)
    {
        var random = new Random(seed ^ 0x5A17);
        _scenario = scenario;
        _size = random.Next(1, 5) * 1_000;
        _timeout = random.Next(1, 7) * 500;
        _ownSessions = random.Next(2) == 0;
        _back = random.Next(1, 6) * 1_000;
        _offset = random.Next(1, 4);
        _pattern = Patterns[random.Next(Patterns.Length)];
        _bound = random.Next(4) switch { 0 => (0, 3), 1 => (-2, 2), 2 => (1, 4), _ => (-3, -1) };
        _texts = new NaiveTexts(random);
        _constantsFirst = random.Next(2) == 0;
    }

    public string Query =>
        $"SELECT room, COUNT(*) AS n, SUM(x) AS s, COUNT(DISTINCT x) AS d, System.Timestamp() AS t{_texts.Columns} " +
        $"INTO sliding FROM telemetry {By} GROUP BY room, SlidingWindow(ms, {_size}) " +
        $"SELECT room, COUNT(*) AS n, MAX(x) AS m, System.Timestamp() AS t{_texts.Columns} INTO sessions " +
        $"FROM telemetry {By} GROUP BY room, SessionWindow(ms, {_timeout}, {Longest})" +
        $"{(_ownSessions ? " OVER (PARTITION BY room)" : "")} " +
        $"SELECT x, LAG(x, {_offset}, -1) OVER (PARTITION BY room LIMIT DURATION(ms, {_back}) " +
        $"WHEN x IS NULL OR x <> 5) AS l, " +
        $"LAST(x) OVER (LIMIT DURATION(ms, {_back}) PARTITION BY room WHEN x < 4) AS last, " +
        $"ISFIRST(ms, {_back}) OVER (PARTITION BY room WHEN x <> 5) AS f, " +
        $"SUM(x) OVER (PARTITION BY room LIMIT DURATION(ms, {_back}) WHEN x <> 5) AS s, " +
        $"MIN(x) OVER (PARTITION BY room LIMIT DURATION(ms, {_back}) WHEN x <> 5) AS lo, " +
        $"MAX(x) OVER (PARTITION BY room LIMIT DURATION(ms, {_back}) WHEN x <> 5) AS hi, " +
        $"CAST(SUM(x / 8.0) OVER (PARTITION BY room LIMIT DURATION(ms, {_back}) WHEN x <> 5) * 8 AS bigint) AS e, " +
        $"COUNT(*) OVER (LIMIT DURATION(ms, {_back})) AS n INTO back FROM telemetry {By} " +
        $"SELECT a.x AS ax, b.x AS bx, System.Timestamp() AS t INTO joined FROM telemetry a {By} " +
        $"JOIN telemetry b {By} ON {On} SELECT a.x AS ax, b.x AS bx INTO outer_ FROM telemetry a {By} " +
        $"LEFT JOIN telemetry b {By} ON {On} AND b.x > 2 " +
        $"SELECT * INTO matched FROM telemetry {By} MATCH_RECOGNIZE (LIMIT DURATION(ms, {_back}) PARTITION BY room " +
        $"MEASURES Classifier() AS c, First(x) AS f AFTER MATCH SKIP TO NEXT ROW PATTERN ({_pattern}) " +
        $"DEFINE {string.Join(", ", Defines.Where(one => _pattern.Contains(one[0])))}) AS m";

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var rows = _scenario.Ordered(out dropped);
        return new()
        {
            ["sliding"] = [.. Naive.Sliding(rows, _size).Select(group => Naive.Row([
                ("room", group.Room), ("n", group.Events.Count), ("s", Naive.Sum(group.Events.Select(e => e.X))),
                ("d", group.Events.Select(e => e.X).OfType<long>().Distinct().Count()), ("t", Naive.Time(group.End)),
                .. _texts.Of(group.Events)]))],
            ["sessions"] = [.. Naive.Sessions(rows, _timeout, Longest, _ownSessions).Select(group => Naive.Row([
                ("room", group.Room), ("n", group.Events.Count), ("m", group.Events.Max(e => e.X)),
                ("t", Naive.Time(group.End)), .. _texts.Of(group.Events)]))],
            ["back"] = [.. Enumerable.Range(0, rows.Count).Select(i => Back(rows, i))],
            ["joined"] = [.. NaiveJoin.Of(rows, null, Fits)
                .Select(m => Naive.Row(("ax", m.Left.X), ("bx", m.Right?.X), ("t", Naive.Time(m.At))))],
            ["outer_"] = [.. NaiveJoin.Of(rows, _bound.High, (a, b) => Fits(a, b) && b.Event.X > 2)
                .Select(m => Naive.Row(("ax", m.Left.X), ("bx", m.Right?.X)))],
            ["matched"] = [.. Enumerable.Range(0, rows.Count).Select(i => Match(rows, i)).OfType<string>()],
        };
    }

    private string By => _scenario.By;

    private string On => "a.room = b.room AND " + (_constantsFirst
        ? $"{_bound.Low} <= DATEDIFF(second, a, b) AND {_bound.High + 1} > DATEDIFF(second, a, b)"
        : $"DATEDIFF(second, a, b) BETWEEN {_bound.Low} AND {_bound.High}");

    private string Back(List<(long At, NaiveEvent Event)> rows, int index)
    {
        var (now, e) = rows[index];
        var recent = rows.Take(index + 1).Where(row => row.At > now - (_back * Naive.Ms)).ToList();
        var same = recent.Where(row => row.Event.Room == e.Room).Select(row => row.Event).ToList();
        var isNot5 = e.X is null || e.X != 5;
        var before = same.Where(x => x.X is null || x.X != 5).SkipLast(isNot5 ? 1 : 0).Reverse().ToList();
        var interval = Interval(now);
        var isFirst = e.X is not null && e.X != 5 && !rows.Take(index).Any(row => row.Event.Room == e.Room
            && row.Event.X is not null && row.Event.X != 5 && Interval(row.At) == interval);
        List<long> not5 = [.. same.Where(x => x.X is not null && x.X != 5).Select(x => x.X!.Value)];
        long? sum = not5.Count == 0 ? null : not5.Sum();
        return Naive.Row(("x", e.X), ("l", before.Count < _offset ? -1 : before[_offset - 1].X),
            ("last", same.LastOrDefault(x => x.X < 4)?.X), ("f", isFirst ? 1 : 0),
            ("s", sum), ("lo", not5.Count == 0 ? null : not5.Min()), ("hi", not5.Count == 0 ? null : not5.Max()),
            ("e", sum), ("n", recent.Count));
    }

    private long Interval(long at) => (long)Math.Ceiling(at / (double)(_back * Naive.Ms));

    /// <summary>
    /// The same pattern as a regular expression over the letters of the rows that may belong to it, of which a match
    /// has one at least.
    /// </summary>
    private string? Match(List<(long At, NaiveEvent Event)> rows, int index)
    {
        var (start, e) = rows[index];
        var letters = string.Concat(rows.Skip(index)
            .Where(row => row.Event.Room == e.Room && row.At < start + (_back * Naive.Ms))
            .Select(row => row.Event.X switch { null => 'n', < 3 => 'A', < 6 => 'B', _ => 'C' }));
        var found = Regex.Match(letters, $"^({_pattern.Replace(" ", "")})(?<=.)").Value;
        return found.Length == 0 ? null
            : $"{{\"c\":[{string.Join(",", found.Select(letter => $"\"{letter}\""))}],\"f\":{e.X}}}";
    }

    private bool Fits((long At, NaiveEvent Event) a, (long At, NaiveEvent Event) b)
    {
        var apart = Naive.Seconds(a.At, b.At);
        return a.Event.Room == b.Event.Room && apart >= _bound.Low && apart <= _bound.High;
    }
}
