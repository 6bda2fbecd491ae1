using System.Globalization;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// An expression as text in one form, whatever its spelling: by it GROUP BY and SELECT find the same expression.
/// </summary>
internal static class SyntaxText
{
    /// <param name="qualifiers">Names of the source, which are left out before a column.</param>
    public static string Of(ExpressionSyntax expression, IReadOnlyCollection<string> qualifiers) => expression switch
    {
        LiteralSyntax literal => Literal(literal.Value),
        NameSyntax name => Name(name, qualifiers),
        UnarySyntax unary => $"({unary.Operator} {Of(unary.Operand, qualifiers)})",
        BinarySyntax binary => $"({Of(binary.Left, qualifiers)} {binary.Operator} {Of(binary.Right, qualifiers)})",
        BetweenSyntax between =>
            $"(BETWEEN {between.Negated} {All([between.Value, between.Low, between.High], qualifiers)})",
        InSyntax inList => $"(IN {inList.Negated} {All([inList.Value, .. inList.Choices], qualifiers)})",
        LikeSyntax like =>
            $"(LIKE {like.Negated} {All([like.Value, like.Pattern, .. Optional(like.Escape)], qualifiers)})",
        IsNullSyntax isNull => $"(ISNULL {isNull.Negated} {Of(isNull.Value, qualifiers)})",
        CaseSyntax choice => $"(CASE {All([.. Optional(choice.Input)], qualifiers)};" +
            $"{All([.. choice.Arms.SelectMany(arm => new[] { arm.When, arm.Then })], qualifiers)};" +
            $"{All([.. Optional(choice.Else)], qualifiers)})",
        CastSyntax cast => $"(CAST {cast.Try} {cast.TypeName.ToUpperInvariant()} {Of(cast.Value, qualifiers)})",
        CallSyntax call =>
            $"{call.Name.ToUpperInvariant()}({call.Distinct}{call.Star} {All(call.Arguments, qualifiers)})",
        OverSyntax over => $"{Of(over.Call, qualifiers)} OVER({All(over.PartitionBy, qualifiers)};" +
            $"{string.Join(", ", over.OrderBy.Select(order => $"{Of(order.Value, qualifiers)} {order.Descending}"))};" +
            $"{All([.. Optional(over.Limit), .. Optional(over.When)], qualifiers)})",
        MemberSyntax member => $"{Of(member.Record, qualifiers)}.{Parts(member.Parts)}",
        _ => "?",
    };

    private static string All(IReadOnlyList<ExpressionSyntax> expressions, IReadOnlyCollection<string> qualifiers) =>
        string.Join(", ", expressions.Select(expression => Of(expression, qualifiers)));

    private static IEnumerable<ExpressionSyntax> Optional(ExpressionSyntax? expression) =>
        expression is null ? [] : [expression];

    private static string Name(NameSyntax name, IReadOnlyCollection<string> qualifiers)
    {
        var qualified = name.Parts.Count > 1
            && qualifiers.Contains(name.Parts[0].Text, StringComparer.OrdinalIgnoreCase);
        return Parts(qualified ? [.. name.Parts.Skip(1)] : name.Parts);
    }

    private static string Parts(IReadOnlyList<NamePart> parts) =>
        string.Join('.', parts.Select(part => $"[{part.Text.ToUpperInvariant()}]"));

    private static string Literal(object? value) => value switch
    {
        null => "NULL",
        string text => $"'{text.Replace("'", "''")}'",
        double number => number.ToString("R", CultureInfo.InvariantCulture) + "e",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
