using System.Diagnostics.CodeAnalysis;

namespace Millrace.Saql.Functions;

/// <summary>The functions by name, and the names of what is legal but not there yet.</summary>
internal static class FunctionTable
{
    private static readonly Dictionary<string, Function> ByName = All().ToDictionary(
        function => function.Name, StringComparer.OrdinalIgnoreCase);

    public static IEnumerable<string> Names => ByName.Keys;

    public static bool TryFind(string name, [NotNullWhen(true)] out Function? function) =>
        ByName.TryGetValue(name, out function);

    private static IEnumerable<Function> All() =>
        [.. NumberFunctions.All, .. TextFunctions.All, .. DateFunctions.All, .. ValueFunctions.All,
            .. GeographyFunctions.All, .. HashFunctions.All];
}
