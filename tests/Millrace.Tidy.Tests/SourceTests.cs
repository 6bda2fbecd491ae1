using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>What every source file keeps to.</summary>
public partial class SourceTests
{
    private const int LineMax = 120;
    private const int FileLinesMax = 300;
    private const int FunctionLinesMax = 60;

    // Only ever made smaller: what is longer than the rule, and how long it was when it was last looked at.
    private static readonly Dictionary<string, int> LongFiles = new()
    {
    };

    [Test]
    public void Lines_fit_into_120_columns()
    {
        var wide = Tree.Files("*.cs").SelectMany(f => Tree.Lines(f).Select((line, i) => (f, i, line.Length)))
            .Where(l => l.Length > LineMax).Select(l => $"{l.f}:{l.i + 1} has {l.Length}");
        Assert.That(wide, Is.Empty);
    }

    [Test]
    public void Files_are_short()
    {
        var files = Tree.Source.Select(f => (f, Lines: Tree.Lines(f).Length))
            .Where(f => f.Lines > LongFiles.GetValueOrDefault(f.f, FileLinesMax)).Select(f => $"{f.f} has {f.Lines}");
        Assert.That(files, Is.Empty);
    }

    [Test]
    public void A_long_file_that_has_shrunk_is_held_to_it()
    {
        var shrunk = LongFiles.Where(l => Tree.Lines(l.Key).Length < l.Value).Select(l => l.Key);
        Assert.That(shrunk, Is.Empty, "shorter now: make the number smaller, or delete it");
    }

    [Test]
    public void Functions_fit_on_a_screen()
    {
        var functions = Tree.Source.SelectMany(f => TooLong(f, Tree.Lines(f)));
        Assert.That(functions, Is.Empty);
    }

    [Test]
    public void Nothing_reads_the_clock_or_sleeps_by_itself()
    {
        var calls = Tree.Source.SelectMany(f => Tree.Lines(f).Select((line, i) => (f, i, line)))
            .Where(l => ClockPattern().IsMatch(l.line)).Select(l => $"{l.f}:{l.i + 1} {l.line.Trim()}");
        Assert.That(calls, Is.Empty);
    }

    [Test]
    public void Nothing_is_left_undone_or_names_a_machine()
    {
        var left = Tree.Files("*.cs").Concat(Tree.Files("*.md")).Concat(Tree.Files("*.csproj")).Append("Makefile")
            .Where(f => !f.EndsWith("SourceTests.cs")).SelectMany(f => Tree.Lines(f).Select((line, i) => (f, i, line)))
            .Where(l => UndonePattern().IsMatch(l.line)).Select(l => $"{l.f}:{l.i + 1} {l.line.Trim()}");
        Assert.That(left, Is.Empty);
    }

    private static IEnumerable<string> TooLong(string file, string[] lines) => Functions(lines)
        .Where(f => f.Lines > FunctionLinesMax)
        .Select(f => $"{file}:{f.At} is {f.Lines} lines long");

    /// <summary>Bodies of members, also of nested types, from the opening brace to the closing one.</summary>
    private static IEnumerable<(int At, int Lines)> Functions(string[] lines)
    {
        for (var i = 1; i < lines.Length; i++)
        {
            if (lines[i] is not ("    {" or "        {") || TypePattern().IsMatch(lines[i - 1])) continue;
            var end = Array.FindIndex(lines, i, l => l.StartsWith(lines[i].Replace('{', '}')));
            var before = lines[..i].Reverse().TakeWhile(l => l.Length > 0).Any(l => TypePattern().IsMatch(l));
            if (!before && end > i) yield return (i, end - i - 1);
        }
    }

    [GeneratedRegex(@"\b(class|struct|record|interface|enum)\b")]
    private static partial Regex TypePattern();

    [GeneratedRegex(@"DateTime(Offset)?\.(Utc)?Now|Thread\.Sleep|Task\.Delay\(\d")]
    private static partial Regex ClockPattern();

    [GeneratedRegex(@"\b(TODO|FIXME|XXX|HACK)\b|NotImplementedException|/(home|root|work)/[a-z]")]
    private static partial Regex UndonePattern();
}
