using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>Names that others rely on stand once.</summary>
public partial class NamesTests
{
    [Test]
    public void Event_ids_are_unique()
    {
        var ids = Tree.Source.SelectMany(f =>
            EventPattern().Matches(Tree.Read(f)).Select(m => m.Groups[1].Value)).ToList();
        Assert.That(ids, Is.Not.Empty);
        Assert.That(ids, Is.Unique);
    }

    [Test]
    public void Metric_names_are_unique()
    {
        var names = Tree.Source.SelectMany(f =>
            MetricPattern().Matches(Tree.Read(f)).Select(m => m.Groups[1].Value)).ToList();
        Assert.That(names, Is.Not.Empty);
        Assert.That(names, Is.Unique);
    }

    [Test]
    public void Every_error_code_has_its_page_and_every_page_its_code()
    {
        var codes = Tree.Source.SelectMany(f =>
            CodePattern().Matches(Tree.Read(f)).Select(m => m.Groups[1].Value)).ToList();
        var pages = Tree.Files("*.md").Where(f => f.StartsWith("docs/errors/")).Select(f =>
            Path.GetFileNameWithoutExtension(f)!)
            .Where(n => n != "README").ToList();
        Assert.That(codes, Is.Unique);
        Assert.That(codes.Except(pages), Is.Empty, "codes without a page");
        Assert.That(pages.Except(codes), Is.Empty, "pages without a code");
    }

    [Test]
    public void An_error_page_begins_with_its_code()
    {
        var pages = Tree.Files("*.md").Where(f => f.StartsWith("docs/errors/") && !f.EndsWith("README.md"));
        Assert.That(pages.Where(p => !Tree.Read(p).StartsWith($"# {Path.GetFileNameWithoutExtension(p)}:")), Is.Empty);
    }

    [GeneratedRegex(@"\[LoggerMessage\(\s*(\d+)")]
    private static partial Regex EventPattern();

    [GeneratedRegex(@"Create(?:Observable)?(?:Counter|UpDownCounter|Histogram|Gauge)(?:<\w+>)?\(\s*""([^""]+)""")]
    private static partial Regex MetricPattern();

    [GeneratedRegex(@"""([A-Z]{2,3}-\d{4})"",\s*\n?\s*""")]
    private static partial Regex CodePattern();
}
