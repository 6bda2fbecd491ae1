using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>Walks expressions as written.</summary>
internal static class SyntaxNames
{
    /// <summary>
    /// The columns that an expression names. The first argument of a date function is a word, no column.
    /// </summary>
    public static IEnumerable<NameSyntax> Of(ExpressionSyntax syntax) => syntax is NameSyntax name
        ? [name]
        : Children(syntax).SelectMany(Of);

    public static IEnumerable<ExpressionSyntax> Children(ExpressionSyntax syntax) => syntax switch
    {
        UnarySyntax unary => [unary.Operand],
        BinarySyntax binary => [binary.Left, binary.Right],
        BetweenSyntax between => [between.Value, between.Low, between.High],
        InSyntax inList => [inList.Value, .. inList.Choices],
        LikeSyntax like => [like.Value, like.Pattern, .. Optional(like.Escape)],
        IsNullSyntax isNull => [isNull.Value],
        CaseSyntax choice => [.. Optional(choice.Input),
            .. choice.Arms.SelectMany(arm => new[] { arm.When, arm.Then }), .. Optional(choice.Else)],
        CastSyntax cast => [cast.Value],
        CallSyntax call => call.Arguments.Skip(HasWordFirst(call) ? 1 : 0),
        OverSyntax over => [over.Call, .. over.PartitionBy, .. over.OrderBy.Select(order => order.Value),
            .. Optional(over.When)],
        MemberSyntax member => [member.Record],
        _ => [],
    };

    public static bool HasWordFirst(CallSyntax call) => call.Name.ToUpperInvariant() is
        "DATEADD" or "DATEDIFF" or "DATEPART" or "DATENAME" or "ISFIRST";

    private static IEnumerable<ExpressionSyntax> Optional(ExpressionSyntax? syntax) => syntax is null ? [] : [syntax];
}
