namespace Millrace.Saql.Parsing;

/// <summary>A whole query text.</summary>
internal sealed record ScriptSyntax(IReadOnlyList<StepSyntax> Steps, IReadOnlyList<QuerySyntax> Queries);

/// <summary>One named result of WITH.</summary>
internal sealed record StepSyntax(string Name, TextSpan Place, QuerySyntax Query);

/// <summary>One SELECT, or several joined by UNION.</summary>
/// <param name="Into">The output's name; null where there is none.</param>
internal sealed record QuerySyntax(
    TextSpan Place, IReadOnlyList<SelectSyntax> Branches, string? Into, TextSpan IntoPlace);

internal sealed record SelectSyntax(
    TextSpan Place,
    IReadOnlyList<SelectItemSyntax> Items,
    FromSyntax? From,
    ExpressionSyntax? Where,
    IReadOnlyList<ExpressionSyntax>? GroupBy,
    TextSpan GroupByPlace,
    ExpressionSyntax? Having);

/// <param name="Star">For "*" and "a.b.*"; then Expression is the path before the star, or null.</param>
internal sealed record SelectItemSyntax(
    TextSpan Place, ExpressionSyntax? Expression, string? Alias, TextSpan AliasPlace, bool Star);

internal sealed record FromSyntax(
    string Name, TextSpan Place, string? Alias, ExpressionSyntax? TimestampBy, ExpressionSyntax? PartitionBy);
