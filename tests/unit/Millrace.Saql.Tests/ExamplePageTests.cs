using System.Text;
using System.Text.RegularExpressions;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>docs/query-examples.md shows the examples that the tests run, one by one.</summary>
public partial class ExamplePageTests
{
    [Test]
    public void The_page_of_examples_shows_what_the_tests_check()
    {
        var path = SourceTree.PathOf("docs", "query-examples.md");
        var page = Page();
        if (Environment.GetEnvironmentVariable("EXAMPLES_WRITE") is { Length: > 0 }) File.WriteAllText(path, page);
        Assert.That(File.Exists(path) ? File.ReadAllText(path) : "", Is.EqualTo(page),
            "EXAMPLES_WRITE=1 writes the page anew");
    }

    private static string Page()
    {
        var text = new StringBuilder("""
            # Examples of the query language

            Each example is a query, what comes in, and all that comes out; the tests run every one of them. An input
            line is `time device/partition body`: the enqueued time as mm:ss of 2026-01-01T00, `-` for none. A body that
            is no JSON has its content type before it, with `;` and its content encoding, and is text in quotes or
            bytes, `x'A1 61'`. Tolerances are the defaults, 5 s late and 0 s out of order, unless the example says
            otherwise. What an installation adds to the language stands before the query. The language itself is on the
            [page of queries](queries.md).

            """.Replace("\r", ""));
        var files = Directory.EnumerateFiles(
            Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples"), "*.txt").Order();
        foreach (var file in files)
        {
            text.Append($"\n## {Title(Path.GetFileNameWithoutExtension(file))}\n");
            foreach (var part in ExamplePattern().Split(File.ReadAllText(file)).Skip(1)) Append(text, part.Split('\n'));
        }

        AppendGolden(text, "What is wrong with a query", "diagnostics.golden", """
            All that is wrong is told at once, each with its code, line and column, the line, and what would fit.
            """);
        AppendGolden(text, "What is hardly meant", "warnings.golden", """
            A query that follows the language, and surely not what its author means, is taken, and warned of. Where
            nothing is told, as of some of these, nothing is found. A text with an error is told that alone.
            """);
        AppendGolden(text, "What explain says", "explain.golden", """
            `millrace query explain` draws the plan: where it is answered, what is read of each input, and below it what
            becomes of its rows, with the state that is kept and what bounds it.
            """);
        return text.ToString();
    }

    private static void AppendGolden(StringBuilder text, string title, string file, string introduction)
    {
        text.Append($"\n## {title}\n\n{introduction.Replace("\r", "")}\n");
        var path = Path.Combine(TestContext.CurrentContext.TestDirectory, "Examples", file);
        foreach (var part in ExamplePattern().Split(File.ReadAllText(path)).Skip(1))
        {
            var halves = part.Split("\n---\n");
            text.Append($"\n```sql\n{halves[0]}\n```\n\n```text\n{halves[1].TrimEnd('\n')}\n```\n");
        }
    }

    private static string Title(string name) => char.ToUpperInvariant(name[0]) + name[1..].Replace('-', ' ');

    private static void Append(StringBuilder text, string[] lines)
    {
        text.Append($"\n### {Escaped(lines[0].Trim())}\n");
        var isOpen = false;
        foreach (var line in lines.Skip(1).Select(line => line.TrimEnd()).Where(line => line.Length > 0))
        {
            if (line.StartsWith("  ")) text.Append(line[2..]).Append('\n');
            else
            {
                if (isOpen) text.Append("```\n");
                isOpen = line.EndsWith(':');
                if (line == "query:") text.Append("\n```sql\n");
                else if (isOpen) text.Append($"\n{Escaped(line)}\n\n```text\n");
                else text.Append($"\n{Escaped(line)}\n");
            }
        }

        if (isOpen) text.Append("```\n");
    }

    private static string Escaped(string text) => text.Replace("*", "\\*").Replace("_", "\\_").Replace("[", "\\[");

    [GeneratedRegex("^=== ", RegexOptions.Multiline)]
    private static partial Regex ExamplePattern();
}
