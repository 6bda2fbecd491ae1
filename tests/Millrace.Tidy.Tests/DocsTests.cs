using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>What the pages say is there.</summary>
public partial class DocsTests
{
    private static IEnumerable<string> Pages => Tree.Files("*.md").Where(f => !f.StartsWith("benchmarks/results"));

    [Test]
    public void Links_lead_somewhere()
    {
        var dead = Pages.SelectMany(p =>
            LinkPattern().Matches(Tree.Read(p)).Select(m => (p, Target: m.Groups[1].Value)))
            .Where(l => !l.Target.Contains("://") && !l.Target.StartsWith('#'))
            .Where(l => !Exists(l.p, l.Target.Split('#')[0])).Select(l => $"{l.p}: {l.Target}");
        Assert.That(dead, Is.Empty);
    }

    [Test]
    public void Make_verbs_that_pages_name_exist()
    {
        var verbs = MakeVerbPattern().Matches(Tree.Read("Makefile")).Select(m => m.Groups[1].Value).ToHashSet();
        var named = Pages.Append(".ci/run").SelectMany(p =>
            MakeCallPattern().Matches(Tree.Read(p)).Select(m => (p, Verb: m.Groups[1].Value)));
        Assert.That(named.Where(n => !verbs.Contains(n.Verb)).Select(n => $"{n.p}: make {n.Verb}"), Is.Empty);
    }

    [Test]
    public void Millrace_verbs_that_pages_name_exist()
    {
        var source = string.Concat(Tree.Files("*.cs").Where(f => f.StartsWith("services/host/")).Select(Tree.Read));
        var named = Pages.SelectMany(p =>
            VerbPattern().Matches(Tree.Read(p)).Select(m => (p, Verb: m.Groups[1].Value)));
        Assert.That(named.Where(n => !source.Contains($"\"{n.Verb}\"")).Select(n => $"{n.p}: millrace {n.Verb}"),
            Is.Empty);
    }

    [Test]
    public void Tests_that_pages_name_exist()
    {
        var tests = Tree.Files("*Tests.cs").ToLookup(f => Path.GetFileNameWithoutExtension(f)!, Tree.Read);
        var named = Pages.SelectMany(p => TestPattern().Matches(Tree.Read(p))
            .Select(m => (p, Class: m.Groups[1].Value, Method: m.Groups[2].Value))).ToList();
        Assert.That(named, Is.Not.Empty);
        Assert.That(named.Where(n => !tests[n.Class].Any(text => text.Contains($" {n.Method}(")))
            .Select(n => $"{n.p}: {n.Class}.{n.Method}"), Is.Empty);
    }

    [TestCaseSource(nameof(Scripts))]
    public void Every_script_tells_what_it_does(string script)
    {
        using var process = Process.Start(new ProcessStartInfo("bash", [Path.Combine(Tree.Root, script), "--help"])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        var help = process.StandardOutput.ReadToEnd();
        Assert.That(process.WaitForExit(TimeSpan.FromSeconds(20)), Is.True);
        Assert.That(help, Does.StartWith("usage: "));
    }

    private static IEnumerable<string> Scripts() => Directory.GetFiles(Path.Combine(Tree.Root, "scripts"))
        .Select(f => "scripts/" + Path.GetFileName(f)).Where(f => f != "scripts/launcher");

    private static bool Exists(string page, string target)
    {
        var path = Path.Combine(Tree.Root, Path.GetDirectoryName(page)!, target);
        return File.Exists(path) || Directory.Exists(path);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestPattern();

    [GeneratedRegex(@"^([a-z][a-z0-9-]*):.*##", RegexOptions.Multiline)]
    private static partial Regex MakeVerbPattern();

    [GeneratedRegex(@"(?:`|^ {4})make ([a-z][a-z0-9-]+)", RegexOptions.Multiline)]
    private static partial Regex MakeCallPattern();

    [GeneratedRegex(@"(?:`|^\s*(?:artifacts/)?)millrace ([a-z][a-z-]+)", RegexOptions.Multiline)]
    private static partial Regex VerbPattern();
}
