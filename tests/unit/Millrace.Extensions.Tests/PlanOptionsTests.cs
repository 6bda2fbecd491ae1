using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Millrace.Saql;

namespace Millrace.Extensions.Tests;

/// <summary>How large queries may become, as whoever compiles for a hub takes it from the configuration.</summary>
public class PlanOptionsTests
{
    [TestCase("Queries:Plans:SizeMax", "10000", "SELECT * FROM telemetry", 24, false)]
    [TestCase("Queries:Plans:SizeMax", "20000", "SELECT * FROM telemetry", 24, true)]
    [TestCase("Queries:Plans:DepthMax", "2000", "SELECT x + 1 AS x FROM telemetry", 24, true)]
    public void A_query_is_as_large_as_the_configuration_says(
        string key, string value, string part, int parts, bool fits)
    {
        var text = string.Join(" UNION ", Enumerable.Repeat(part, parts));
        var result = SaqlCompiler.Compile(text, CompileOptions.Hub(ExtensionServices.Load(Of(key, value))));
        Assert.That(result.Diagnostics.Select(found => found.Code), fits ? Is.Empty : Is.EqualTo(new[] { "SQ-0019" }));
    }

    [TestCase("Queries:Plans:SizeMax", "100")]
    [TestCase("Queries:Plans:DepthMax", "5000")]
    public void A_limit_that_cannot_be_held_is_told(string key, string value) => Assert.That(
        () => ExtensionServices.Load(Of(key, value)), Throws.TypeOf<OptionsValidationException>()
            .With.Message.Contains(key));

    private static IConfiguration Of(string key, string value) => new ConfigurationBuilder()
        .AddInMemoryCollection([KeyValuePair.Create(key, (string?)value)]).Build();
}
