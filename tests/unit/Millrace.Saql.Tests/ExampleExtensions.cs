using System.Diagnostics.Metrics;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Microsoft.Extensions.DependencyInjection;
using Millrace.Extensions;
using Millrace.Saql.Models;
using Millrace.TestKit;

namespace Millrace.Saql.Tests;

/// <summary>
/// What an example adds to the language: <c>function NAME</c> and <c>decoder MEDIA-TYPE</c>, each with its method,
/// <c>message NAME</c> with its lines of a .proto file, and <c>model NAME</c> with its features.
/// </summary>
internal sealed class ExampleExtensions
{
    private const string ModelIs = "; the score is their sum";

    private readonly QueryExtensionOptions _options = new();
    private readonly List<QueryModel> _known = [];
    private readonly Dictionary<string, IModelScorer> _models = [];
    private bool _hasMessages;

    public IReadOnlyDictionary<string, IModelScorer> Models => _models;

    public static ExampleExtensions Of(IReadOnlyDictionary<string, List<string>> sections)
    {
        var all = new ExampleExtensions();
        foreach (var (title, lines) in sections)
        {
            if (title.Split(' ') is not [var kind, var name]) continue;
            switch (kind)
            {
                case "function": all._options.Functions[name] = MethodOf(lines); break;
                case "decoder": all._options.Decoders[name] = MethodOf(lines); break;
                case "message": all.AddMessage(lines); break;
                case "model": all.AddModel(name, lines.Single()); break;
            }
        }

        return all;
    }

    public CompileOptions CompileOptions(IReadOnlyCollection<string> references)
    {
        using var folder = new TemporaryFolder();
        if (_hasMessages)
        {
            var set = new FileDescriptorSet { File = { Fleet.FleetReflection.Descriptor.ToProto() } };
            _options.Descriptors.Add(folder.Sub("fleet.binpb"));
            File.WriteAllBytes(_options.Descriptors[0], set.ToByteArray());
        }

        using var services = new ServiceCollection().AddMetrics().BuildServiceProvider();
        var metrics = new ExtensionMetrics(services.GetRequiredService<IMeterFactory>());
        return new CompileOptions(
            References: references, Extensions: ExtensionLoader.Load(_options, metrics),
            KnownModels: _known.Count > 0 ? _known : null);
    }

    /// <summary>The method whose text the example shows.</summary>
    private static string MethodOf(List<string> lines)
    {
        AssertShows("ExampleFleet.cs", lines);
        var name = lines[0].Split('(')[0].Split(' ')[^1];
        return $"{typeof(ExampleFleet).Assembly.Location}::{typeof(ExampleFleet).FullName}.{name}";
    }

    private void AddMessage(List<string> lines)
    {
        AssertShows(Path.Combine("Examples", "fleet.proto"), lines);
        _hasMessages = true;
    }

    private void AddModel(string name, string line)
    {
        Assert.That(line, Does.StartWith("features ").And.EndsWith(ModelIs));
        _known.Add(new QueryModel(name, line["features ".Length..^ModelIs.Length].Split(", ")));
        _models.Add(name, new Sum());
    }

    private static void AssertShows(string file, List<string> lines)
    {
        var text = File.ReadAllLines(Path.Combine(TestContext.CurrentContext.TestDirectory, file))
            .Select(line => line.Trim());
        Assert.That(string.Join('\n', text), Does.Contain(string.Join('\n', lines.Select(line => line.Trim()))), file);
    }

    private sealed class Sum : IModelScorer
    {
        public int Version => 1;

        public double Score(ReadOnlySpan<float> features)
        {
            var sum = 0d;
            foreach (var feature in features) sum += feature;
            return sum;
        }
    }
}
