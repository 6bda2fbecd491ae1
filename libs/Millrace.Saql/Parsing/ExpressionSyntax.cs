namespace Millrace.Saql.Parsing;

/// <summary>An expression as written.</summary>
internal abstract record ExpressionSyntax(TextSpan Place)
{
    /// <summary>Levels below and including this one: bounded, because binding and evaluation recurse.</summary>
    public int Depth { get; set; } = 1;
}

/// <summary>Stands where an expression could not be read; the error was told.</summary>
internal sealed record BadSyntax(TextSpan Place) : ExpressionSyntax(Place);

/// <param name="Value">null, bool, long, double or string.</param>
internal sealed record LiteralSyntax(TextSpan Place, object? Value) : ExpressionSyntax(Place);

/// <summary>A path of names: x, record.field, alias.x.</summary>
internal sealed record NameSyntax(TextSpan Place, IReadOnlyList<NamePart> Parts) : ExpressionSyntax(Place);

internal readonly record struct NamePart(string Text, TextSpan Place, bool Quoted);

/// <summary>A prefix operator: -, +, ~ or NOT.</summary>
internal sealed record UnarySyntax(TextSpan Place, string Operator, ExpressionSyntax Operand)
    : ExpressionSyntax(Place);

/// <summary>Arithmetic, comparison, AND or OR; the operator as written, keywords in upper case.</summary>
internal sealed record BinarySyntax(
    TextSpan Place, string Operator, TextSpan OperatorPlace, ExpressionSyntax Left, ExpressionSyntax Right)
    : ExpressionSyntax(Place)
{
    public bool IsComparison => Operator is [('=' or '<' or '>' or '!'), ..];
}

internal sealed record BetweenSyntax(
    TextSpan Place, ExpressionSyntax Value, ExpressionSyntax Low, ExpressionSyntax High, bool Negated)
    : ExpressionSyntax(Place);

internal sealed record InSyntax(
    TextSpan Place, ExpressionSyntax Value, IReadOnlyList<ExpressionSyntax> Choices, bool Negated)
    : ExpressionSyntax(Place);

internal sealed record LikeSyntax(
    TextSpan Place, ExpressionSyntax Value, ExpressionSyntax Pattern, ExpressionSyntax? Escape, bool Negated)
    : ExpressionSyntax(Place);

internal sealed record IsNullSyntax(TextSpan Place, ExpressionSyntax Value, bool Negated) : ExpressionSyntax(Place);

/// <param name="Input">Null for the searched form.</param>
internal sealed record CaseSyntax(
    TextSpan Place, ExpressionSyntax? Input, IReadOnlyList<CaseArm> Arms, ExpressionSyntax? Else)
    : ExpressionSyntax(Place);

internal readonly record struct CaseArm(ExpressionSyntax When, ExpressionSyntax Then);

internal sealed record CastSyntax(
    TextSpan Place, ExpressionSyntax Value, string TypeName, TextSpan TypePlace, bool Try) : ExpressionSyntax(Place);

/// <param name="Name">As written; System.Timestamp and the like keep their dot.</param>
/// <param name="Star">f(*).</param>
/// <param name="Distinct">f(DISTINCT x).</param>
internal sealed record CallSyntax(
    TextSpan Place, string Name, TextSpan NamePlace, IReadOnlyList<ExpressionSyntax> Arguments, bool Star,
    bool Distinct) : ExpressionSyntax(Place)
{
    public bool Is(string name) => Name.Equals(name, StringComparison.OrdinalIgnoreCase);
}

/// <summary>A call with OVER.</summary>
/// <param name="Limit">DURATION(unit, length), or nothing.</param>
internal sealed record OverSyntax(
    TextSpan Place, CallSyntax Call, IReadOnlyList<ExpressionSyntax> PartitionBy, IReadOnlyList<OrderSyntax> OrderBy,
    CallSyntax? Limit, ExpressionSyntax? When) : ExpressionSyntax(Place);

internal readonly record struct OrderSyntax(ExpressionSyntax Value, bool Descending);

/// <summary>A field of a computed record: f(x).name.</summary>
internal sealed record MemberSyntax(TextSpan Place, ExpressionSyntax Record, IReadOnlyList<NamePart> Parts)
    : ExpressionSyntax(Place);
