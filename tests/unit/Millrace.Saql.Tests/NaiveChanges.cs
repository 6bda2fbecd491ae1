using System.Text;
using Millrace.Contracts;

namespace Millrace.Saql.Tests;

/// <summary>Reference data that changes while records are read: a row meets what counts when it goes on.</summary>
internal sealed class NaiveChanges
{
    private readonly Random _random;
    private readonly NaiveScenario _scenario;
    private readonly string _on;
    private readonly Func<NaiveEvent, NaivePlace, bool> _fits;
    private readonly long _size;

    /// <summary>What there was, and how far the query was when something else came.</summary>
    private readonly List<(List<NaivePlace> Places, NaiveProgress Until)> _before = [];
    private List<NaivePlace> _now = [];

    public NaiveChanges(int seed, NaiveScenario scenario)
    {
        _random = new Random(seed ^ 0x3C0D);
        _scenario = scenario;
        (_on, _fits) = NaivePlace.Condition(_random);
        _size = _random.Next(1, 5) * 1_000;
        First = Next();
    }

    /// <summary>The entries at first.</summary>
    public IReadOnlyList<byte[]> First { get; }

    public int Count => _before.Count;

    public string Query =>
        $"WITH w AS (SELECT room, COUNT(*) AS n FROM telemetry {By} GROUP BY room, TumblingWindow(ms, {_size})) " +
        $"SELECT d.room, d.x, r.name, System.Timestamp() AS t INTO met FROM telemetry d {By} JOIN places r ON {_on} " +
        $"SELECT d.room, d.x, r.name, r.least INTO perhaps FROM telemetry d {By} LEFT JOIN places r ON {_on} " +
        $"SELECT d.room, r.name, COUNT(*) AS n, SUM(d.x) AS s, System.Timestamp() AS t INTO grouped " +
        $"FROM telemetry d {By} LEFT JOIN places r ON {_on} GROUP BY d.room, r.name, HoppingWindow(second, 4, 2) " +
        $"SELECT w.room, w.n, r.name, System.Timestamp() AS t INTO closed FROM w LEFT JOIN places r ON w.room = r.id";

    /// <summary>Other entries take the place of all that there are, at times.</summary>
    public void Perhaps(QueryEngine engine, IReadOnlyDictionary<TopicPartition, long> read)
    {
        if (_random.Next(4) > 0) return;
        _before.Add((_now, _scenario.ProgressAt(read)));
        engine.SetReference("places", Next());
    }

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var rows = _scenario.OrderedByOwn(out dropped);
        var met = rows.Select(row => (row.At, row.Event, Places: Met(row.At, row.Event))).ToList();
        var joined = met.SelectMany(row =>
            row.Places.DefaultIfEmpty().Select(place => (row.At, (row.Event, Place: place)))).ToList();
        return new()
        {
            ["met"] = [.. met.SelectMany(row => row.Places.Select(place => Naive.Row(("room", row.Event.Room),
                ("x", row.Event.X), ("name", place.Name), ("t", Naive.Time(row.At)))))],
            ["perhaps"] = [.. joined.Select(row => row.Item2).Select(row => Naive.Row(("room", row.Event.Room),
                ("x", row.Event.X), ("name", row.Place?.Name), ("least", row.Place?.Least)))],
            ["grouped"] = [.. Naive.Windows(joined, 4_000, 2_000, 0, row => (row.Event.Room, row.Place?.Name))
                .Select(group => Naive.Row(("room", group.Key.Room), ("name", group.Key.Name),
                    ("n", group.Rows.Count), ("s", Naive.Sum(group.Rows.Select(row => row.Event.X))),
                    ("t", Naive.Time(group.End))))],
            ["closed"] = [.. Naive.Windows(rows, _size, _size, 0, e => e.Room).SelectMany(group =>
                At(until => until.HasClosed(group.End, group.Key)).Where(place => place.Id == group.Key)
                    .DefaultIfEmpty().Select(place => Naive.Row(("room", group.Key), ("n", group.Rows.Count),
                        ("name", place?.Name), ("t", Naive.Time(group.End)))))],
        };
    }

    private string By => _scenario.OwnBy;

    private List<NaivePlace> Met(long at, NaiveEvent e) =>
        [.. At(until => until.HasTaken(at, e)).Where(place => _fits(e, place))];

    /// <summary>What there was when it happened.</summary>
    private List<NaivePlace> At(Func<NaiveProgress, bool> hasHappened)
    {
        foreach (var (places, until) in _before)
        {
            if (hasHappened(until)) return places;
        }

        return _now;
    }

    private IReadOnlyList<byte[]> Next()
    {
        var entries = NaivePlace.Entries(_random);
        _now = [.. entries.Select(NaivePlace.Read)];
        return [.. entries.Select(Encoding.UTF8.GetBytes)];
    }
}
