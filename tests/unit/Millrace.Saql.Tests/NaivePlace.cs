using System.Globalization;
using System.Text.Json;

namespace Millrace.Saql.Tests;

/// <summary>An entry of the reference data "places".</summary>
internal sealed record NaivePlace(double? Id, string? Name, long? Least)
{
    private static readonly string?[] Ids = ["0", "1", "2", "3", "5", "2.0", "3.5", "\"1\"", "true", "null", null];

    private static readonly (string Text, Func<NaiveEvent, NaivePlace, bool> Fits)[] Conditions =
    [
        ("d.x = r.id", (e, place) => e.X is { } x && x == place.Id),
        ("r.id = d.room AND d.x >= r.least", (e, place) => e.Room == place.Id && e.X >= place.Least),
        ("d.x = r.id AND d.room = r.least", (e, place) => e.X is { } x && x == place.Id && e.Room == place.Least),
        ("d.room = r.least AND r.id > 1", (e, place) => e.Room == place.Least && place.Id > 1),
    ];

    private static readonly (string Text, Func<NaivePlace, bool> IsLeft)[] Sources =
    [
        ("places", _ => true),
        ("(SELECT * FROM places WHERE least > 0)", place => place.Least > 0),
        ("(SELECT p.id, name, p.low - 1 AS least FROM (SELECT least + 1 AS low, * FROM places) p " +
            "WHERE p.low IS NULL OR p.low < 3)", place => place.Least is null or < 2),
    ];

    /// <summary>What JOIN may name, and the places that it gives.</summary>
    public static (string Text, Func<NaivePlace, bool> IsLeft) Source(Random random) =>
        Sources[random.Next(Sources.Length)];

    /// <summary>A condition on an event d and a place r, as text and as what it means.</summary>
    public static (string Text, Func<NaiveEvent, NaivePlace, bool> Fits) Condition(Random random) =>
        Conditions[random.Next(Conditions.Length)];

    public static List<string> Entries(Random random) =>
        [.. Enumerable.Range(0, random.Next(12)).Select(_ => Entry(random))];

    /// <summary>Text that is a number, and true, compare with numbers as that.</summary>
    public static NaivePlace Read(string entry)
    {
        var members = JsonDocument.Parse(entry).RootElement;
        double? id = members.TryGetProperty("id", out var found) ? found.ValueKind switch
        {
            JsonValueKind.Number => found.GetDouble(),
            JsonValueKind.String => double.Parse(found.GetString()!, CultureInfo.InvariantCulture),
            JsonValueKind.True => 1,
            _ => null,
        } : null;
        return new NaivePlace(id, members.TryGetProperty("name", out var name) ? name.GetString() : null,
            members.TryGetProperty("least", out var least) && least.ValueKind == JsonValueKind.Number
                ? least.GetInt64() : null);
    }

    private static string Entry(Random random)
    {
        var id = Ids[random.Next(Ids.Length)];
        var name = random.Next(5) switch { 0 => null, 1 => "null", var other => $"\"n{other}\"" };
        var least = random.Next(5) switch { 0 => null, 1 => "null", var other => $"{other - 2}" };
        (string Name, string? Value)[] members = [("id", id), ("name", name), ("least", least)];
        return $"{{{string.Join(",", members.Where(member => member.Value is not null)
            .Select(member => $"\"{member.Name}\":{member.Value}"))}}}";
    }
}
