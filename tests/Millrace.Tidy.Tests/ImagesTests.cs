using System.Text.RegularExpressions;

namespace Millrace.Tidy.Tests;

/// <summary>The images of containers, in whatever file they are named.</summary>
public partial class ImagesTests
{
    [Test]
    public void An_image_has_one_tag_wherever_it_is_named()
    {
        var named = new[] { "*.yml", "*.yaml", "*.cs", "Dockerfile" }.SelectMany(Tree.Files)
            .SelectMany(file => ImagePattern().Matches(Tree.Read(file)).Select(match => (file, match.Groups)))
            .ToLookup(found => found.Groups["name"].Value, found => $"{found.Groups["tag"].Value} in {found.file}");

        Assert.That(named, Is.Not.Empty);
        var apart = named.Where(image => image.Select(use => use.Split(' ')[0]).Distinct().Count() > 1)
            .Select(image => $"{image.Key}: {string.Join(", ", image)}");
        Assert.That(apart, Is.Empty);
    }

    [GeneratedRegex(@"(?<name>\b(docker\.io|mcr\.microsoft\.com)/[a-z0-9./-]+):(?<tag>[A-Za-z0-9._-]+)")]
    private static partial Regex ImagePattern();
}
