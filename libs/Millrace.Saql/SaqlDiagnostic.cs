using System.Text.Json.Serialization;

namespace Millrace.Saql;

/// <summary>One thing that is wrong with a query's text.</summary>
/// <param name="Severity">Whether it keeps the query from being a plan.</param>
/// <param name="Code">The stable code, SQ-nnnn.</param>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in code points.</param>
/// <param name="Message">What was found and what would fit.</param>
/// <param name="Excerpt">The line of the text, and a second line with a caret below the place.</param>
public sealed record SaqlDiagnostic(
    SaqlSeverity Severity, string Code, int Line, int Column, string Message, string Excerpt)
{
    /// <summary>Without the excerpt.</summary>
    public override string ToString() =>
        $"{Code}{(Severity == SaqlSeverity.Warning ? " (warning)" : "")} line {Line}, column {Column}: {Message}";
}

[JsonConverter(typeof(JsonStringEnumConverter<SaqlSeverity>))]
public enum SaqlSeverity
{
    /// <summary>There is no plan.</summary>
    Error,

    /// <summary>The query does what is written, which is hardly what is meant.</summary>
    Warning,
}
