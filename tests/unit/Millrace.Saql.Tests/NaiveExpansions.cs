using System.Text;

namespace Millrace.Saql.Tests;

/// <summary>What makes several rows of one, or none: elements, members, and entries of reference data.</summary>
internal sealed class NaiveExpansions
{
    private readonly NaiveScenario _scenario;
    private readonly string _on;
    private readonly Func<NaiveEvent, NaivePlace, bool> _fits;
    private readonly List<NaivePlace> _known;

    /// <summary>The entries as they are, or those that a SELECT leaves.</summary>
    private readonly string _places;

    /// <summary>What is no array, or no record, is null; else it fails its row.</summary>
    private readonly bool _tries;

    public NaiveExpansions(int seed, NaiveScenario scenario)
    {
        var random = new Random(seed ^ 0x0E7E);
        _scenario = scenario;
        (_on, _fits) = NaivePlace.Condition(random);
        var places = NaivePlace.Entries(random);
        Places = [.. places.Select(Encoding.UTF8.GetBytes)];
        (_places, var isLeft) = NaivePlace.Source(random);
        _known = [.. places.Select(NaivePlace.Read).Where(isLeft)];
        _tries = random.Next(2) == 0;
    }

    /// <summary>The entries of the reference data "places".</summary>
    public IReadOnlyList<byte[]> Places { get; }

    public string Query =>
        $"SELECT d.x, e.ArrayIndex AS i, e.ArrayValue AS v, System.Timestamp() AS t INTO elements {From} " +
        $"CROSS APPLY GetArrayElements({Array("d.list")}) AS e WHERE d.x IS NULL OR d.x <> 3 " +
        $"SELECT d.x, p.PropertyName AS k, p.PropertyValue AS v INTO members {From} " +
        $"OUTER APPLY GetRecordProperties({Record("d.fields")}) AS p " +
        $"SELECT d.x, e.ArrayIndex AS i, f.ArrayIndex AS j, f.ArrayValue AS v INTO within {From} " +
        $"CROSS APPLY GetArrayElements({Array("d.list")}) AS e " +
        $"OUTER APPLY GetArrayElements({Array("e.ArrayValue")}) AS f " +
        $"SELECT p.PropertyName AS k, COUNT(*) AS n, SUM(d.x) AS s, System.Timestamp() AS t INTO named {From} " +
        $"CROSS APPLY GetRecordProperties({Record("d.fields")}) AS p " +
        $"GROUP BY p.PropertyName, TumblingWindow(second, 4) " +
        $"SELECT d.x, r.name, System.Timestamp() AS t INTO met {From} JOIN {_places} r ON {_on} " +
        $"SELECT d.x, r.name, r.least INTO perhaps {From} LEFT JOIN {_places} r ON {_on} " +
        "WHERE d.x IS NULL OR d.x <> 3 " +
        $"SELECT r.name, COUNT(*) AS n, SUM(d.x) AS s, System.Timestamp() AS t INTO places_ {From} " +
        $"LEFT JOIN {_places} r ON {_on} GROUP BY r.name, HoppingWindow(second, 4, 2)";

    public Dictionary<string, List<string>> Expected(out int dropped)
    {
        var rows = _scenario.Ordered(out dropped);
        var joined = rows.SelectMany(row => Perhaps(Met(row.Event)).Select(place => (row.At, (row.Event, place))))
            .ToList();
        var members = rows.SelectMany(row =>
            NaiveNested.Members(row.Event).Select(member => (row.At, (row.Event, member.Name)))).ToList();
        return new()
        {
            ["elements"] = [.. rows.Where(row => row.Event.X != 3).SelectMany(row => NaiveNested.Elements(row.Event)
                .Select((value, i) => Naive.Row(("x", row.Event.X), ("i", i), ("v", new NaiveJson(value)),
                    ("t", Naive.Time(row.At)))))],
            ["members"] = [.. rows.Where(row => _tries || NaiveNested.HasFields(row.Event)).SelectMany(row =>
                Perhaps(NaiveNested.Members(row.Event).Cast<(string, string)?>()).Select(member => Naive.Row(
                    ("x", row.Event.X), ("k", member?.Item1), ("v", new NaiveJson(member?.Item2 ?? "null")))))],
            ["within"] = [.. rows.SelectMany(row => NaiveNested.Elements(row.Event)
                .Select((value, i) => (Value: value, Index: i)).Where(one => _tries || NaiveNested.IsArray(one.Value))
                .SelectMany(one => Perhaps(NaiveNested.Elements(one.Value).Select((v, j) => ((int, string)?)(j, v)))
                    .Select(inner => Naive.Row(("x", row.Event.X), ("i", one.Index), ("j", inner?.Item1),
                        ("v", new NaiveJson(inner?.Item2 ?? "null"))))))],
            ["named"] = [.. Naive.Windows(members, 4_000, 4_000, 0, row => row.Name).Select(group => Naive.Row(
                ("k", group.Key), ("n", group.Rows.Count), ("s", Naive.Sum(group.Rows.Select(row => row.Event.X))),
                ("t", Naive.Time(group.End))))],
            ["met"] = [.. rows.SelectMany(row => Met(row.Event).Select(place => Naive.Row(
                ("x", row.Event.X), ("name", place.Name), ("t", Naive.Time(row.At)))))],
            ["perhaps"] = [.. joined.Select(row => row.Item2).Where(row => row.Event.X != 3).Select(row => Naive.Row(
                ("x", row.Event.X), ("name", row.place?.Name), ("least", row.place?.Least)))],
            ["places_"] = [.. Naive.Windows(joined, 4_000, 2_000, 0, row => ValueTuple.Create(row.place?.Name))
                .Select(group => Naive.Row(("name", group.Key.Item1), ("n", group.Rows.Count),
                    ("s", Naive.Sum(group.Rows.Select(row => row.Event.X))), ("t", Naive.Time(group.End))))],
        };
    }

    /// <summary>The events that fail.</summary>
    public IEnumerable<NaiveEvent> Failed() => _scenario.Ordered(out _).Select(row => row.Event)
        .Where(e => !_tries && (!NaiveNested.HasList(e) || !NaiveNested.HasFields(e)
            || NaiveNested.Elements(e).Any(value => !NaiveNested.IsArray(value))));

    private string Array(string value) => _tries ? $"TRY_CAST({value} AS array)" : value;

    private string Record(string value) => _tries ? $"TRY_CAST({value} AS record)" : value;

    private string From => $"FROM telemetry d {_scenario.By}";

    private IEnumerable<NaivePlace> Met(NaiveEvent e) => _known.Where(place => _fits(e, place));

    /// <summary>One row with nothing when there is none.</summary>
    private static IEnumerable<T?> Perhaps<T>(IEnumerable<T?> rows) => rows.DefaultIfEmpty();
}
