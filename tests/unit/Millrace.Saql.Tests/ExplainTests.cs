namespace Millrace.Saql.Tests;

/// <summary>What explain says of plans, as its author wrote them.</summary>
public class ExplainTests
{
    [Test]
    public void Plans_are_as_in_the_golden_file() => Golden.Check("explain.golden", Told);

    private static string Told(string query)
    {
        var result = SaqlCompiler.Compile(query, new CompileOptions(References: ["devices"]));
        Assert.That(result.Plan, Is.Not.Null, query + "\n" + string.Join("\n", result.Diagnostics));
        return result.Plan!.Explain().ReplaceLineEndings("\n");
    }
}
