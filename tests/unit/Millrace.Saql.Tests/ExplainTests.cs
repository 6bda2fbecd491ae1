using System.Text.RegularExpressions;

namespace Millrace.Saql.Tests;

/// <summary>
/// Golden plans: explain.golden has queries, each followed by what explain says of it. GOLDEN_WRITE names a file that
/// gets them anew.
/// </summary>
public class ExplainTests
{
    [Test]
    public void Plans_are_as_in_the_golden_file()
    {
        var path = Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples", "explain.golden");
        var golden = File.ReadAllText(path);
        var queries = Regex.Split(golden, "^=== ", RegexOptions.Multiline).Skip(1)
            .Select(part => part.Split("\n---\n")[0]);
        var found = string.Concat(queries.Select(query => $"=== {query}\n---\n{Told(query)}\n"));
        if (Environment.GetEnvironmentVariable("GOLDEN_WRITE") is { Length: > 0 } target)
            File.WriteAllText(target, found);
        Assert.That(found, Is.EqualTo(golden));
    }

    private static string Told(string query)
    {
        var result = SaqlCompiler.Compile(query, new CompileOptions(References: ["devices"]));
        Assert.That(result.Plan, Is.Not.Null, query + "\n" + string.Join("\n", result.Diagnostics));
        return result.Plan!.Explain().ReplaceLineEndings("\n");
    }
}
