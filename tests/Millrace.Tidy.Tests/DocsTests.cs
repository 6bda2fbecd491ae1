using System.Diagnostics;
using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>What the pages say is there.</summary>
public partial class DocsTests
{
    private static readonly string[] Groups =
        ["device", "query", "telemetry", "alert", "cold", "deadletter", "archive", "certificate", "bridge", "model"];

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
    public void Commands_that_pages_name_exist()
    {
        var source = string.Concat(Tree.Files("*.cs").Where(f => f.StartsWith("services/host/")).Select(Tree.Read));
        var unknown = Pages.SelectMany(p => CommandPattern().Matches(Tree.Read(p)).SelectMany(Words)
            .Where(word => !source.Contains($"\"{word}\"")).Select(word => $"{p}: millrace ... {word}"));
        Assert.That(unknown, Is.Empty);

        // The verb, the one below it where there is one, and every option.
        static IEnumerable<string> Words(Match command)
        {
            var options = FlagPattern().Matches(command.Groups["rest"].Value).Select(o => o.Value)
                .Except(["--help", "--version"]);
            var verb = command.Groups["verb"].Value;
            var below = Groups.Contains(verb) ? command.Groups["below"].Captures.Select(b => b.Value) : [];
            return [verb, .. below, .. options];
        }
    }

    [Test]
    public void Paths_that_pages_name_exist()
    {
        var missing = Pages.SelectMany(p => PathPattern().Matches(Tree.Read(p)).Select(m => (p, Path: m.Value)))
            .Where(n => !Exists("README.md", n.Path)).Select(n => $"{n.p}: {n.Path}");
        Assert.That(missing, Is.Empty);
    }

    [Test]
    public void Every_option_has_its_line_in_the_configuration_page()
    {
        var page = Tree.Read("docs/configuration.md");
        var options = Tree.Source.Select(Tree.Read).SelectMany(text => OptionsPattern().Matches(text))
            .SelectMany(type => OptionPattern().Matches(type.Value)
                .Select(option => (Type: type.Groups[1].Value, Name: option.Groups[1].Value))).ToList();
        Assert.That(options, Has.Count.GreaterThan(50));
        Assert.That(options.Where(o => !page.Contains($"| `{o.Name}` |")).Select(o => $"{o.Type}.{o.Name}"), Is.Empty);
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
        .Select(f => "scripts/" + Path.GetFileName(f));

    private static bool Exists(string page, string target)
    {
        var path = Path.Combine(Tree.Root, Path.GetDirectoryName(page)!, target);
        return File.Exists(path) || Directory.Exists(path);
    }

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex LinkPattern();

    // The options of a simulation and of a query are the command's, with help of their own.
    [GeneratedRegex(@"^public sealed class (\w+Options)\b.*?^}", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex OptionsPattern();

    [GeneratedRegex(@"^    public [\w<>?]+ (\w+) { get; (?:set|init); }", RegexOptions.Multiline)]
    private static partial Regex OptionPattern();

    [GeneratedRegex(@"`(\w+Tests)\.(\w+)`")]
    private static partial Regex TestPattern();

    [GeneratedRegex(@"^([a-z][a-z0-9-]*):.*##", RegexOptions.Multiline)]
    private static partial Regex MakeVerbPattern();

    [GeneratedRegex(@"(?:`|^ {4})make ([a-z][a-z0-9-]+)", RegexOptions.Multiline)]
    private static partial Regex MakeCallPattern();

    [GeneratedRegex(
        @"(?:`|^\s*(?:artifacts/)?)millrace (?<verb>[a-z][a-z-]+)" +
        @"(?: (?<below>[a-z-]+)(?:, (?<below>[a-z-]+))*)?(?<rest>[^`\n]*)",
        RegexOptions.Multiline)]
    private static partial Regex CommandPattern();

    [GeneratedRegex(@"(?<![\w-])--[a-z][a-z-]+")]
    private static partial Regex FlagPattern();

    [GeneratedRegex(@"(?<![\w/.<-])(?:docs|libs|services|tests|scripts|benchmarks|eng)/[\w./-]*\w")]
    private static partial Regex PathPattern();
}
