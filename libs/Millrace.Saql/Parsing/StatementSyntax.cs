namespace Millrace.Saql.Parsing;

/// <summary>A whole query text.</summary>
internal sealed record ScriptSyntax(
    IReadOnlyList<TableSyntax> Tables, IReadOnlyList<StepSyntax> Steps, IReadOnlyList<QuerySyntax> Queries);

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
    ExpressionSyntax? Having)
{
    public bool IsDistinct { get; init; }
}

/// <param name="Star">For "*" and "a.b.*"; then Expression is the path before the star, or null.</param>
internal sealed record SelectItemSyntax(
    TextSpan Place, ExpressionSyntax? Expression, string? Alias, TextSpan AliasPlace, bool Star);

/// <param name="Name">Of an input or a step; empty for a SELECT in parentheses.</param>
internal sealed record FromSyntax(string Name, TextSpan Place, string? Alias)
{
    /// <summary>A SELECT in parentheses.</summary>
    public QuerySyntax? Query { get; init; }

    public ExpressionSyntax? TimestampBy { get; init; }

    /// <summary>TIMESTAMP BY ... OVER: what parts the source into substreams.</summary>
    public IReadOnlyList<ExpressionSyntax> TimestampOver { get; init; } = [];

    public ExpressionSyntax? PartitionBy { get; init; }

    public MatchSyntax? Match { get; init; }

    public IReadOnlyList<JoinSyntax> Joins { get; init; } = [];
}

/// <summary>What stands behind the first source.</summary>
internal abstract record JoinSyntax(TextSpan Place, bool IsOuter);

/// <summary>[LEFT] JOIN source ON condition.</summary>
internal sealed record SourceJoinSyntax(TextSpan Place, bool IsOuter, FromSyntax Source, ExpressionSyntax On)
    : JoinSyntax(Place, IsOuter);

/// <summary>CROSS or OUTER APPLY function(x) AS alias.</summary>
internal sealed record ApplySyntax(TextSpan Place, bool IsOuter, CallSyntax Function, string Alias)
    : JoinSyntax(Place, IsOuter);

/// <summary>CREATE TABLE name (column type, ...).</summary>
internal sealed record TableSyntax(string Name, TextSpan Place, IReadOnlyList<TableColumn> Columns);

internal readonly record struct TableColumn(string Name, string TypeName, TextSpan TypePlace);
