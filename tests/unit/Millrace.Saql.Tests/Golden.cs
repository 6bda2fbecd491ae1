using System.Text.RegularExpressions;

namespace Millrace.Saql.Tests;

/// <summary>
/// Files of the folder Examples that have queries, each followed by exactly what is told of it. GOLDEN_WRITE names a
/// file that gets them anew.
/// </summary>
internal static class Golden
{
    public static void Check(string file, Func<string, string> told)
    {
        var path = Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples", file);
        var golden = File.ReadAllText(path);
        var queries = Regex.Split(golden, "^=== ", RegexOptions.Multiline).Skip(1)
            .Select(part => part.Split("\n---\n")[0]);
        var found = string.Concat(queries.Select(query => $"=== {query}\n---\n{told(query)}\n"));
        if (Environment.GetEnvironmentVariable("GOLDEN_WRITE") is { Length: > 0 } target)
            File.WriteAllText(target, found);
        Assert.That(found, Is.EqualTo(golden));
    }
}
