using System.Globalization;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// An expression as text in one form, whatever its spelling: by it GROUP BY and SELECT find the same expression.
/// </summary>
internal sealed class SyntaxText
{
    private readonly IReadOnlyCollection<string> _qualifiers;
    private readonly bool _keepsCase;

    private SyntaxText(IReadOnlyCollection<string> qualifiers, bool keepsCase) =>
        (_qualifiers, _keepsCase) = (qualifiers, keepsCase);

    /// <summary>The same text for names that differ in case alone.</summary>
    /// <param name="qualifiers">Names of the source, which are left out before a column.</param>
    public static string Of(ExpressionSyntax expression, IReadOnlyCollection<string> qualifiers) =>
        new SyntaxText(qualifiers, keepsCase: false).Of(expression);

    /// <summary>Fields whose names differ in case alone are different ones.</summary>
    /// <param name="qualifiers">Names of the source, which are left out before a column.</param>
    public static string Exact(ExpressionSyntax expression, IReadOnlyCollection<string> qualifiers) =>
        new SyntaxText(qualifiers, keepsCase: true).Of(expression);

    private string Of(ExpressionSyntax expression) => expression switch
    {
        LiteralSyntax literal => Literal(literal.Value),
        NameSyntax name => Name(name),
        UnarySyntax unary => $"({unary.Operator} {Of(unary.Operand)})",
        BinarySyntax binary => $"({Of(binary.Left)} {binary.Operator} {Of(binary.Right)})",
        BetweenSyntax between => $"(BETWEEN {between.Negated} {All([between.Value, between.Low, between.High])})",
        InSyntax inList => $"(IN {inList.Negated} {All([inList.Value, .. inList.Choices])})",
        LikeSyntax like => $"(LIKE {like.Negated} {All([like.Value, like.Pattern, .. Optional(like.Escape)])})",
        IsNullSyntax isNull => $"(ISNULL {isNull.Negated} {Of(isNull.Value)})",
        CaseSyntax choice => $"(CASE {All([.. Optional(choice.Input)])};" +
            $"{All([.. choice.Arms.SelectMany(arm => new[] { arm.When, arm.Then })])};" +
            $"{All([.. Optional(choice.Else)])})",
        CastSyntax cast => $"(CAST {cast.Try} {cast.TypeName.ToUpperInvariant()} {Of(cast.Value)})",
        CallSyntax call => $"{call.Name.ToUpperInvariant()}({call.Distinct}{call.Star} {Arguments(call)})",
        OverSyntax over => $"{Of(over.Call)} OVER({All(over.PartitionBy)};" +
            $"{string.Join(", ", over.OrderBy.Select(order => $"{Of(order.Value)} {order.Descending}"))};" +
            $"{All([.. Optional(over.Limit), .. Optional(over.When)])})",
        MemberSyntax member => $"{Of(member.Record)}.{Parts(member.Parts)}",
        _ => "?",
    };

    private string All(IReadOnlyList<ExpressionSyntax> expressions) => string.Join(", ", expressions.Select(Of));

    /// <summary>The first may be a word of the language.</summary>
    private string Arguments(CallSyntax call) =>
        SyntaxNames.HasWordFirst(call) && call.Arguments is [NameSyntax { Parts: [var word] }, ..]
            ? $"{word.Text.ToUpperInvariant()}, {All([.. call.Arguments.Skip(1)])}"
            : All(call.Arguments);

    private static IEnumerable<ExpressionSyntax> Optional(ExpressionSyntax? expression) =>
        expression is null ? [] : [expression];

    private string Name(NameSyntax name)
    {
        var qualified = name.Parts.Count > 1
            && _qualifiers.Contains(name.Parts[0].Text, StringComparer.OrdinalIgnoreCase);
        return Parts(qualified ? [.. name.Parts.Skip(1)] : name.Parts);
    }

    private string Parts(IReadOnlyList<NamePart> parts) => string.Join('.', parts.Select(part => Part(part.Text)));

    private string Part(string name) =>
        $"[{(_keepsCase ? name : name.ToUpperInvariant()).Replace("]", "]]", StringComparison.Ordinal)}]";

    private static string Literal(object? value) => value switch
    {
        null => "NULL",
        string text => $"'{text.Replace("'", "''")}'",
        double number => number.ToString("R", CultureInfo.InvariantCulture) + "e",
        _ => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };
}
