using System.Text;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Millrace.Saql;
using Millrace.TestKit;

namespace Millrace.Extensions.Tests;

/// <summary>Reference data that the configuration names.</summary>
public partial class ReferenceOptionsTests
{
    [Test]
    public void The_example_of_the_page_of_queries_gives_names_to_join_with()
    {
        var page = File.ReadAllText(SourceTree.PathOf("docs", "queries.md"));
        var example = ExamplePattern().Match(page).Value;
        var configuration = new ConfigurationBuilder()
            .AddJsonStream(new MemoryStream(Encoding.UTF8.GetBytes(example))).Build();
        var extensions = ExtensionServices.Load(configuration);
        Assert.That(extensions.References, Is.EquivalentTo(new[] { "rooms", "limits", "means", "now" }));

        var options = configuration.GetSection("Queries:Extensions").Get<QueryExtensionOptions>()!;
        Assert.That(options.References["means"].Key, Is.EqualTo(new[] { "deviceId" }));
        foreach (var name in extensions.References.Append(CompileOptions.Devices))
        {
            var result = SaqlCompiler.Compile(
                $"SELECT t.x, r.y FROM telemetry t JOIN {name} r ON t.k = r.id", CompileOptions.Hub(extensions));
            Assert.That(result.Diagnostics, Is.Empty);
            Assert.That(result.Plan!.References, Is.EqualTo(new[] { name }));
        }
    }

    [TestCase("rooms", "Objects=a.json Latest=true", "EX-0008")]
    [TestCase("rooms", "AgeMax=2h", "EX-0008")]
    [TestCase("rooms", "Objects=a.json Key:0=id", "EX-0008")]
    [TestCase("my rooms", "Latest=true", "EX-0004")]
    [TestCase("Devices", "Latest=true", "EX-0004")]
    [TestCase("rooms", "Output=a AgeMax=0s", "Queries:Extensions:References:rooms:AgeMax")]
    public void What_does_not_fit_is_refused(string name, string settings, string told)
    {
        var section = $"Queries:Extensions:References:{name}:";
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(settings.Split(' ')
            .Select(one => one.Split('=')).ToDictionary(one => section + one[0], one => (string?)one[1])).Build();
        Assert.That(() => ExtensionServices.Load(configuration),
            Throws.TypeOf<OptionsValidationException>().With.Message.Contains(told));
    }

    [GeneratedRegex("""\{ "Queries": \{ "Extensions": \{ "References": \{.*?\} \} \} \} \}""", RegexOptions.Singleline)]
    private static partial Regex ExamplePattern();
}
