namespace Millrace.Saql.Tests;

/// <summary>What a rule author is told of what is wrong.</summary>
public class DiagnosticTests
{
    [Test]
    public void Messages_are_as_in_the_golden_file() => Golden.Check("diagnostics.golden", Told);

    private static string Told(string query) => string.Concat(SaqlCompiler.Compile(query).Diagnostics
        .Select(d => $"{d.Code} at {d.Line}:{d.Column}: {d.Message}\n{d.Excerpt}\n"));
}
