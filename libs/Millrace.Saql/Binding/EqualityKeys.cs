using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>Two expressions that ON says are equal, one of each side, on the rows of each branch.</summary>
/// <param name="IsLocal">Rows of different log partitions never have equal ones.</param>
/// <param name="Text">As written, for people.</param>
internal sealed record EqualityKey(IReadOnlyList<Expr> Left, IReadOnlyList<Expr> Right, bool IsLocal, string Text)
{
    /// <summary>The two in the form of <see cref="SyntaxText"/>, without the names of their sources.</summary>
    public required string LeftText { get; init; }

    public required string RightText { get; init; }
}

/// <summary>Finds in ON what rows can be looked up by.</summary>
internal static class EqualityKeys
{
    public static IReadOnlyList<EqualityKey> Of(
        ExpressionSyntax on, IReadOnlyList<RowScope> left, IReadOnlyList<RowScope> right, Diagnostics diagnostics)
    {
        var keys = new List<EqualityKey>();
        foreach (var part in Conjuncts(on).OfType<BinarySyntax>().Where(part => part.Operator == "="))
        {
            var (first, second) = (part.Left, part.Right);
            if (IsOf(first, right) && IsOf(second, left)) (first, second) = (second, first);
            if (!IsOf(first, left) || !IsOf(second, right)) continue;
            keys.Add(Key(Bind(first, left, diagnostics), Bind(second, right, diagnostics),
                diagnostics.LineOf(part.Place), TextOf(first, left), TextOf(second, right)));
        }

        return keys;
    }

    public static IEnumerable<ExpressionSyntax> Conjuncts(ExpressionSyntax condition) =>
        condition is BinarySyntax { Operator: "AND" } and
            ? Conjuncts(and.Left).Concat(Conjuncts(and.Right))
            : [condition];

    private static string TextOf(ExpressionSyntax syntax, IReadOnlyList<RowScope> side) => SyntaxText.Of(
        syntax, [.. side[0].Sources.SelectMany(source => source.Qualifiers)]);

    private static EqualityKey Key(
        IReadOnlyList<Expr> left, IReadOnlyList<Expr> right, string text, string leftText, string rightText)
    {
        var all = left.Concat(right).ToList();
        var isLocal = all.All(key => key.IsDeviceId) || all.All(key => key.SeparatesPartitions && !key.IsDeviceId);
        return new EqualityKey(left, right, isLocal, text) { LeftText = leftText, RightText = rightText };
    }

    private static List<Expr> Bind(
        ExpressionSyntax syntax, IReadOnlyList<RowScope> scopes, Diagnostics diagnostics) =>
        [.. scopes.Select(scope => new RowBinder(scope, diagnostics, "ON").Bind(syntax))];

    /// <summary>All its columns say that they are of this side, and there is one.</summary>
    private static bool IsOf(ExpressionSyntax syntax, IReadOnlyList<RowScope> side)
    {
        var names = SyntaxNames.Of(syntax).ToList();
        return names.Count > 0 && names.All(name =>
            name.Parts.Count > 1 && side[0].Sources.Any(source => source.Has(name.Parts[0].Text)));
    }
}
