using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>
/// The table of values in the chart's README is what values.yaml says, comments and all. With README_WRITE=1 the test
/// writes it.
/// </summary>
public partial class ChartValuesTests
{
    private const string Readme = "charts/millrace/README.md";
    private const string Head = "| value | default | what |\n|---|---|---|\n";

    [Test]
    public void The_readme_has_every_value_with_its_default()
    {
        var text = Tree.Read(Readme);
        var start = text.IndexOf(Head, StringComparison.Ordinal) + Head.Length;
        var table = string.Concat(Rows(Tree.Read("charts/millrace/values.yaml")));
        if (Environment.GetEnvironmentVariable("README_WRITE") == "1")
            File.WriteAllText(Path.Combine(Tree.Root, Readme), text = text[..start] + table);
        Assert.That(text[start..], Is.EqualTo(table), "README_WRITE=1 writes it");
    }

    /// <summary>A row for each value that has one, and for each group of them that is commented on.</summary>
    private static IEnumerable<string> Rows(string yaml)
    {
        var path = new Stack<(int Indent, string Key)>();
        var comment = new List<string>();
        foreach (var line in yaml.Split('\n'))
        {
            var entry = EntryPattern().Match(line);
            if (!entry.Success)
            {
                var said = line.TrimStart();
                if (said.StartsWith('#')) comment.Add(said[1..].Trim());
                else comment.Clear();
                continue;
            }

            var indent = entry.Groups["indent"].Length;
            while (path.TryPeek(out var above) && above.Indent >= indent) path.Pop();
            path.Push((indent, entry.Groups["key"].Value));
            var value = entry.Groups["value"].Value;
            var what = string.Join(' ', comment);
            comment.Clear();
            if (value.Length == 0 && what.Length == 0) continue;
            var name = string.Join('.', path.Reverse().Select(each => each.Key));
            yield return $"| `{name}` | {(value.Length == 0 ? "" : $"`{value}`")} | {what} |\n";
        }
    }

    [GeneratedRegex("^(?<indent> *)(?<key>[A-Za-z0-9]+): *(?<value>.*)$")]
    private static partial Regex EntryPattern();
}
