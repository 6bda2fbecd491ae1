using System.Text.RegularExpressions;

namespace Millrace.Saql.Tests;

/// <summary>
/// Golden messages: Diagnostics.txt has queries, each followed by exactly what a rule author is told.
/// </summary>
public class DiagnosticTests
{
    [Test]
    public void Messages_are_as_in_the_golden_file()
    {
        var path = Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples", "diagnostics.golden");
        var golden = File.ReadAllText(path);
        var queries = Regex.Split(golden, "^=== ", RegexOptions.Multiline).Skip(1)
            .Select(part => part.Split("\n---\n")[0]);
        var found = string.Concat(queries.Select(query => $"=== {query}\n---\n{Told(query)}\n"));
        if (Environment.GetEnvironmentVariable("GOLDEN_WRITE") is { Length: > 0 } target)
            File.WriteAllText(target, found);
        Assert.That(found, Is.EqualTo(golden));
    }

    private static string Told(string query) => string.Concat(SaqlCompiler.Compile(query).Diagnostics
        .Select(d => $"{d.Code} at {d.Line}:{d.Column}: {d.Message}\n{d.Excerpt}\n"));
}
