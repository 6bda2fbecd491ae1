namespace Millrace.Tidy.Tests;

/// <summary>The source tree that these tests were built from, as files.</summary>
internal static class Tree
{
    private static readonly string[] NotOurs = ["/artifacts/", "/.git/", "/.dotnet/", "/bin/", "/obj/",
        "/millrace-data/"];

    public static string Root { get; } = FindRoot();

    /// <summary>Code that is shipped.</summary>
    public static IEnumerable<string> Source =>
        Files("*.cs").Where(f => f.StartsWith("libs/") || f.StartsWith("services/"));

    public static IEnumerable<string> Projects => Files("*.csproj");

    public static IEnumerable<string> Files(string pattern) =>
        Directory.EnumerateFiles(Root, pattern, SearchOption.AllDirectories).Select(f => f[(Root.Length + 1)..])
            .Where(f => !NotOurs.Any(n => $"/{f}".Contains(n))).Order(StringComparer.Ordinal);

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Platform.sln"))) folder = folder.Parent;
        return folder.FullName;
    }
}
