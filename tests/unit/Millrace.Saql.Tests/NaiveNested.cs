using System.Text.Json;

namespace Millrace.Saql.Tests;

/// <summary>Arrays and records within an event: how they are made, and what another reader finds in them.</summary>
internal static class NaiveNested
{
    private static readonly string[] Values =
        ["0", "7", "null", "\"a\"", "true", "2.5", "{\"z\":1}", "{}", "[]", "[3,null]", "[[4],\"b\"]"];

    /// <summary>The last is another spelling of the first.</summary>
    private static readonly string[] Names = ["a", "A", "b", "\\u0061"];

    /// <summary>
    /// A list and fields as members of a body; either may be empty, null, something else, or not there.
    /// </summary>
    public static string Make(Random random)
    {
        var list = Several(random, () => Value(random));
        var fields = Several(random, () => $"\"{Names[random.Next(Names.Length)]}\":{Value(random)}");
        return Member(random, "list", $"[{list}]", $"{{{fields}}}") +
            Member(random, "fields", $"{{{fields}}}", $"[{list}]");
    }

    public static IReadOnlyList<string> Elements(NaiveEvent e) => Elements(MemberOf(e, "list"));

    public static IReadOnlyList<string> Elements(string json)
    {
        var found = JsonDocument.Parse(json).RootElement;
        return found.ValueKind != JsonValueKind.Array ? []
            : [.. found.EnumerateArray().Select(element => element.GetRawText())];
    }

    /// <summary>Of a repeated member the last counts.</summary>
    public static IReadOnlyList<(string Name, string Value)> Members(NaiveEvent e)
    {
        var found = JsonDocument.Parse(MemberOf(e, "fields")).RootElement;
        if (found.ValueKind != JsonValueKind.Object) return [];
        var members = found.EnumerateObject().Select(member => (member.Name, member.Value.GetRawText())).ToList();
        return [.. members.Where((member, i) => !members.Skip(i + 1).Any(later => later.Name == member.Name))];
    }

    /// <summary>Or null.</summary>
    public static bool HasList(NaiveEvent e) => IsArray(MemberOf(e, "list"));

    /// <summary>Or null.</summary>
    public static bool HasFields(NaiveEvent e) => Is(MemberOf(e, "fields"), JsonValueKind.Object);

    /// <summary>Or null.</summary>
    public static bool IsArray(string json) => Is(json, JsonValueKind.Array);

    private static bool Is(string json, JsonValueKind kind) =>
        JsonDocument.Parse(json).RootElement.ValueKind is var found && (found == kind || found == JsonValueKind.Null);

    private static string MemberOf(NaiveEvent e, string name) =>
        JsonDocument.Parse(e.Body).RootElement.TryGetProperty(name, out var found) ? found.GetRawText() : "null";

    private static string Value(Random random) => Values[random.Next(Values.Length)];

    private static string Several(Random random, Func<string> make) =>
        string.Join(",", Enumerable.Range(0, random.Next(5)).Select(_ => make()));

    private static string Member(Random random, string name, string usual, string other) => random.Next(8) switch
    {
        0 => "",
        1 => $",\"{name}\":null",
        2 => $",\"{name}\":{other}",
        3 => $",\"{name}\":5",
        _ => $",\"{name}\":{usual}",
    };
}
