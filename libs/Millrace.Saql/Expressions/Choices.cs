using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>
/// CASE: the first arm whose condition is true; without ELSE null. The simple form is bound as comparisons.
/// </summary>
internal sealed class CaseExpr((Expr When, Expr Then)[] arms, Expr? otherwise) : Expr
{
    public override ValueKind? Type { get; } =
        CommonType([.. arms.Select(arm => arm.Then), .. otherwise is null ? [] : new[] { otherwise }]);

    public override Value Evaluate(Frame frame)
    {
        foreach (var (when, then) in arms)
        {
            if (when.Test(frame) == Truth.True) return then.Evaluate(frame);
        }

        return otherwise is null ? Value.Null : otherwise.Evaluate(frame);
    }

    internal static ValueKind? CommonType(IReadOnlyList<Expr> choices)
    {
        var typed = choices.Where(choice => choice is not ConstantExpr { Value.IsNull: true })
            .Select(choice => choice.Type);
        var distinct = typed.Distinct().ToList();
        return distinct.Count == 1 ? distinct[0] : null;
    }
}

internal sealed class CoalesceExpr(Expr[] choices) : Expr
{
    public override ValueKind? Type { get; } = CaseExpr.CommonType(choices);

    public override Value Evaluate(Frame frame)
    {
        foreach (var choice in choices)
        {
            var value = choice.Evaluate(frame);
            if (!value.IsNull) return value;
        }

        return Value.Null;
    }
}

/// <summary>CAST fails the row where TRY_CAST gives null.</summary>
internal sealed class CastExpr(Expr operand, ValueKind target, bool isTry) : Expr
{
    public override ValueKind? Type => target;

    public override Value Evaluate(Frame frame)
    {
        var value = operand.Evaluate(frame);
        if (Conversion.TryConvert(value, target, frame.Arena, out var result)) return result;
        return isTry
            ? Value.Null
            : frame.Fail(SaqlErrors.CastFailed, $"{Shown.Of(value)} ({value.Kind.Name()}) is no {target.Name()}.");
    }
}

/// <summary>Whether a value has a type, or can be read as one.</summary>
internal sealed class FitsExpr(Expr operand, ValueKind target) : Condition
{
    public override Truth Test(Frame frame) =>
        Conversion.TryConvert(operand.Evaluate(frame), target, frame.Arena, out _) ? Truth.True : Truth.False;
}
