namespace Millrace.Saql;

/// <summary>One thing that is wrong with a query's text.</summary>
/// <param name="Code">The stable code, SQ-nnnn.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in code points.</param>
/// <param name="Message">What was found and what would fit.</param>
/// <param name="Excerpt">The line of the text, and a second line with a caret below the place.</param>
public sealed record SaqlDiagnostic(string Code, int Line, int Column, string Message, string Excerpt)
{
    /// <summary>Without the excerpt.</summary>
    public override string ToString() => $"{Code} line {Line}, column {Column}: {Message}";
}
