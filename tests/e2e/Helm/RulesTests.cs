using System.Text.RegularExpressions;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Helm;

/// <summary>The chart's alert rules, and what is written about its values.</summary>
[Category("Helm")]
public partial class RulesTests
{
    private const string Files = "charts/millrace/files";
    private static readonly Shell Here = new(Shell.Root);

    [Test]
    public async Task Rules_fire_when_they_should_and_name_a_runbook_that_is_there()
    {
        if (Tool.Find("promtool") is null) Assert.Ignore("promtool is not installed (Debian: prometheus).");
        await Here.RunAsync("promtool", "check", "rules", $"{Files}/alerts.yaml");
        await Here.RunAsync("promtool", "test", "rules", $"{Files}/alerts.test.yaml");

        var headings = HeadingPattern().Matches(Read("docs/runbooks/alerts.md"))
            .Select(heading => heading.Groups[1].Value.ToLowerInvariant());
        var named = RunbookPattern().Matches(Read($"{Files}/alerts.yaml"))
            .Select(link => link.Groups[1].Value).ToList();
        Assert.That(named, Is.Not.Empty.And.SubsetOf(headings));
    }

    [Test]
    public async Task The_table_of_values_is_that_of_the_values()
    {
        var table = await Here.RunAsync("tests/e2e/chart-values");
        Assert.That(Read("charts/millrace/README.md"), Does.EndWith(table));
    }

    private static string Read(string file) => File.ReadAllText(Path.Combine(Shell.Root, file));

    [GeneratedRegex("^## (\\w+)", RegexOptions.Multiline)]
    private static partial Regex HeadingPattern();

    [GeneratedRegex("alerts\\.md#(\\w+)")]
    private static partial Regex RunbookPattern();
}
