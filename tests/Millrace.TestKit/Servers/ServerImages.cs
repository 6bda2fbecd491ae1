using System.Text.RegularExpressions;
using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Images;

namespace Millrace.TestKit.Servers;

/// <summary>The images of the servers, as docker/compose*.yml name them.</summary>
public static class ServerImages
{
    /// <summary>The image of this name, with its repository and tag.</summary>
    public static string Of(string name)
    {
        var files = Directory.GetFiles(SourceTree.PathOf("docker"), "compose*.yml");
        var image = new Regex($@"^ +image: (\S+/{name}:\S+)$", RegexOptions.Multiline);
        return files.Select(file => image.Match(File.ReadAllText(file))).First(match => match.Success).Groups[1].Value;
    }

    /// <summary>Spark's is the tree's own: it is built when it is not there.</summary>
    internal static Task BuildSparkAsync() => new ImageFromDockerfileBuilder()
        .WithName(Of("spark"))
        .WithDockerfileDirectory(SourceTree.PathOf("docker", "spark"))
        .WithImageBuildPolicy(PullPolicy.Missing)
        .WithCleanUp(false)
        .Build()
        .CreateAsync();
}
