using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>
/// Warns of what follows the language and is surely not what its author means. Only what stands in the text counts: a
/// column that is a constant in one part of a UNION is another in the next.
/// </summary>
internal sealed class Slips(Diagnostics diagnostics)
{
    /// <summary>Bytes of text that constants may come to in all; those behind are not looked at.</summary>
    private const int BytesMax = 16 * 1024 * 1024;

    /// <summary>A place that is longer is not repeated in a remedy.</summary>
    private const int ShownMax = 60;

    private readonly Frame _frame = new(memos: 0, [], models: 0, TimeSpan.Zero);
    private readonly HashSet<TextSpan> _computed = [];
    private readonly HashSet<TextSpan> _neverTrue = [];
    private TextSpan _lastFailed;
    private int _bytes;

    /// <summary>Looks at an expression, after what it consists of.</summary>
    /// <param name="isChoice">
    /// CASE or the like may not take it, and an author may want the row to fail where it does.
    /// </param>
    /// <param name="isText">Whether a name is written as text is elsewhere, and surely no column.</param>
    public void Look(ExpressionSyntax syntax, Expr bound, bool isChoice, Func<NameSyntax, bool> isText)
    {
        switch (syntax)
        {
            case BinarySyntax { IsComparison: true } comparison:
                if (IsNull(comparison.Left)) TellNull(comparison, comparison.Right);
                else if (IsNull(comparison.Right)) TellNull(comparison, comparison.Left);
                else
                {
                    if (comparison.Operator is "=" or "<>" or "!=") TellText(comparison.Left, comparison.Right, isText);
                    Compute(syntax, bound, isChoice);
                }

                break;
            case InSyntax list:
                foreach (var choice in list.Choices) TellText(list.Value, choice, isText);
                if (list.Negated ? list.Choices.Any(IsNull) : list.Choices.Count > 0 && list.Choices.All(IsNull))
                    TellNull(list, list.Value, list.Negated);
                break;
            case LikeSyntax like:
                TellText(like.Value, like.Pattern, isText);
                break;
            case CaseSyntax { Input: { } input } choice:
                foreach (var (when, _) in choice.Arms)
                {
                    TellText(input, when, isText);
                    if (IsNull(when)) TellNull(when, input);
                }

                break;
            case not (LiteralSyntax or NameSyntax):
                Compute(syntax, bound, isChoice);
                break;
        }
    }

    /// <summary>Looks at what rows must fulfil, which was looked at as an expression.</summary>
    public void LookAtFilter(ExpressionSyntax syntax)
    {
        if (syntax is BinarySyntax { Operator: "AND" } both)
        {
            LookAtFilter(both.Left);
            LookAtFilter(both.Right);
        }
        else if (syntax is LiteralSyntax { Value: false or null } || _neverTrue.Contains(syntax.Place))
        {
            diagnostics.Warn(SaqlErrors.NeverTrue, syntax.Place,
                "This is never true, whatever the row has.");
        }
    }

    /// <summary>The value of what has no row in it, or the failure that each row meets.</summary>
    private void Compute(ExpressionSyntax syntax, Expr bound, bool isChoice)
    {
        if (_bytes > BytesMax || !ConstantSyntax.IsConstant(syntax) || !IsConstant(bound)) return;
        if (!_computed.Add(syntax.Place)) return;
        if (_lastFailed.Length > 0 && _lastFailed.Start >= syntax.Place.Start && _lastFailed.End <= syntax.Place.End)
            return;
        _frame.ClearFailure();
        var value = bound.Evaluate(_frame);
        _bytes += _frame.Arena.Used;
        _frame.Arena.WindBack(0);
        if (_frame.Failure is { } failure)
        {
            _lastFailed = syntax.Place;
            if (isChoice) return;
            diagnostics.Warn(SaqlErrors.AlwaysFails, syntax.Place,
                $"This fails every row that computes it ({failure.Code}): {_frame.FailureReason.TrimEnd('.')}.");
        }
        else if (value.IsNull || (value.Kind == Values.ValueKind.Bit && !value.Bit)) _neverTrue.Add(syntax.Place);
    }

    /// <summary>A grouped expression is a column, whatever it was written as.</summary>
    private static bool IsConstant(Expr bound) => Expr.Within([bound]).All(part =>
        part is ConstantExpr || (part.Parts.Count > 0 && part.IsSteady));

    private static bool IsNull(ExpressionSyntax syntax) => syntax is LiteralSyntax { Value: null };

    private void TellNull(BinarySyntax comparison, ExpressionSyntax other) =>
        TellNull(comparison, other, comparison.Operator is "<>" or "!=");

    private void TellNull(ExpressionSyntax place, ExpressionSyntax tested, bool negated = false)
    {
        var shown = tested.Place.Length > ShownMax || IsNull(tested) ? "" : $"{diagnostics.LineOf(tested.Place)} ";
        diagnostics.Warn(SaqlErrors.ComparedWithNull, place.Place,
            $"A comparison with NULL is never true; write {shown}IS {(negated ? "NOT " : "")}NULL.");
    }

    private void TellText(ExpressionSyntax tested, ExpressionSyntax written, Func<NameSyntax, bool> isText)
    {
        if (written is not NameSyntax name || !isText(name) || tested is LiteralSyntax) return;
        if (tested is NameSyntax other && diagnostics.IsInDoubleQuotes(other)) return;
        var text = name.Parts[0].Text;
        diagnostics.Warn(SaqlErrors.NameForText, name.Place,
            $"In double quotes {text} is a column, and null where a row has none of this name; did you mean " +
            $"'{text.Replace("'", "''")}'? For the column write [{text.Replace("]", "]]")}].");
    }
}
