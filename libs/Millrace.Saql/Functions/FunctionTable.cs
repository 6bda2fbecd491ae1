using System.Diagnostics.CodeAnalysis;

namespace Millrace.Saql.Functions;

/// <summary>The functions by name, and the names of what is legal but not there yet.</summary>
internal static class FunctionTable
{
    private static readonly Dictionary<string, Function> ByName = All().ToDictionary(
        function => function.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly HashSet<string> Later = new(StringComparer.OrdinalIgnoreCase)
    {
        "GETARRAYELEMENTS", "GETRECORDPROPERTIES", "JSON_PARSE", "CREATEPOINT", "CREATELINESTRING", "CREATEPOLYGON",
        "ST_DISTANCE", "ST_OVERLAPS", "ST_INTERSECTS", "ST_WITHIN", "ANOMALYDETECTION_SPIKEANDDIP",
        "ANOMALYDETECTION_CHANGEPOINT",
    };

    public static IEnumerable<string> Names => ByName.Keys;

    public static bool TryFind(string name, [NotNullWhen(true)] out Function? function) =>
        ByName.TryGetValue(name, out function);

    /// <summary>Part of the language, but without an engine.</summary>
    public static bool ComesLater(string name) =>
        Later.Contains(name) || name.StartsWith("UDF.", StringComparison.OrdinalIgnoreCase) ||
        name.StartsWith("UDA.", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<Function> All() =>
        [.. NumberFunctions.All, .. TextFunctions.All, .. DateFunctions.All, .. ValueFunctions.All];
}
