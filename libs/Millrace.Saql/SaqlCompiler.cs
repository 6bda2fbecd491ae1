namespace Millrace.Saql;

/// <summary>Text of a query to a plan, or to all that is wrong with it.</summary>
public static class SaqlCompiler
{
    public static CompileResult Compile(string text, CompileOptions? options = null) =>
        throw new NotSupportedException("The compiler is not there yet.");
}

/// <param name="KnownInputs">Names that FROM may use; null: any name is an input.</param>
public sealed record CompileOptions(IReadOnlyCollection<string>? KnownInputs = null);

public sealed record CompileResult(QueryPlan? Plan, IReadOnlyList<SaqlDiagnostic> Diagnostics);
