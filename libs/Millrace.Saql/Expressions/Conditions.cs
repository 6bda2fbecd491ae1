using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

internal enum CompareOperator : byte
{
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

internal static class CompareOperators
{
    public static bool Holds(this CompareOperator comparison, int order) => comparison switch
    {
        CompareOperator.Equal => order == 0,
        CompareOperator.NotEqual => order != 0,
        CompareOperator.Less => order < 0,
        CompareOperator.LessOrEqual => order <= 0,
        CompareOperator.Greater => order > 0,
        _ => order >= 0,
    };

    public static Truth Compare(this CompareOperator comparison, in Value left, in Value right, Frame frame)
    {
        if (left.IsNull || right.IsNull) return Truth.Unknown;
        if (Comparison.TryCompare(left, right, out var order))
            return comparison.Holds(order) ? Truth.True : Truth.False;
        frame.Fail(SaqlErrors.ValueMismatch,
            $"{Shown.Of(left)} ({left.Kind.Name()}) cannot be compared with {Shown.Of(right)} ({right.Kind.Name()}).");
        return Truth.Unknown;
    }
}

internal sealed class CompareExpr(CompareOperator comparison, Expr left, Expr right) : Condition
{
    public override IReadOnlyList<Expr> Parts => [left, right];

    public override Truth Test(Frame frame)
    {
        var a = left.Evaluate(frame);
        var b = right.Evaluate(frame);
        return comparison.Compare(a, b, frame);
    }
}

/// <summary>A value that CASE is compared with: one of another type is not the same, and no failure.</summary>
internal sealed class MatchesExpr(Expr input, Expr when) : Condition
{
    public override IReadOnlyList<Expr> Parts => [input, when];

    public override Truth Test(Frame frame)
    {
        var a = input.Evaluate(frame);
        var b = when.Evaluate(frame);
        if (a.IsNull || b.IsNull) return Truth.Unknown;
        return Comparison.TryCompare(a, b, out var order) && order == 0 ? Truth.True : Truth.False;
    }
}

/// <summary>A field against a constant number: most of what rules do.</summary>
internal sealed class CompareSlotExpr(CompareOperator comparison, int slot, Value constant) : Condition
{
    private readonly double _number = constant.AsNumber;
    private readonly bool _isFloat = constant.Kind == ValueKind.Float;

    public override IReadOnlyList<Expr> Parts => [new SlotExpr(slot)];

    public override Truth Test(Frame frame)
    {
        ref readonly var value = ref frame.Slots[slot];
        int order;
        if (value.Kind == ValueKind.Float) order = Order(value.Number, _number);
        else if (value.Kind == ValueKind.BigInt)
            order = _isFloat ? Order(value.Integer, _number) : value.Integer.CompareTo(constant.Integer);
        else return comparison.Compare(value, constant, frame);
        return comparison.Holds(order) ? Truth.True : Truth.False;
    }

    private static int Order(double left, double right) => left < right ? -1 : left > right ? 1 : 0;
}

internal sealed class AndExpr(Expr left, Expr right) : Condition
{
    public override IReadOnlyList<Expr> Parts => [left, right];

    public override Truth Test(Frame frame)
    {
        var a = left.Test(frame);
        if (a == Truth.False) return Truth.False;
        var b = right.Test(frame);
        if (b == Truth.False) return Truth.False;
        return a == Truth.True && b == Truth.True ? Truth.True : Truth.Unknown;
    }
}

internal sealed class OrExpr(Expr left, Expr right) : Condition
{
    public override IReadOnlyList<Expr> Parts => [left, right];

    public override Truth Test(Frame frame)
    {
        var a = left.Test(frame);
        if (a == Truth.True) return Truth.True;
        var b = right.Test(frame);
        if (b == Truth.True) return Truth.True;
        return a == Truth.False && b == Truth.False ? Truth.False : Truth.Unknown;
    }
}

internal sealed class NotExpr(Expr operand) : Condition
{
    public override IReadOnlyList<Expr> Parts => [operand];

    public override Truth Test(Frame frame) => operand.Test(frame) switch
    {
        Truth.True => Truth.False,
        Truth.False => Truth.True,
        _ => Truth.Unknown,
    };
}

internal sealed class IsNullExpr(Expr operand, bool negated) : Condition
{
    public override IReadOnlyList<Expr> Parts => [operand];

    public override Truth Test(Frame frame) => operand.Evaluate(frame).IsNull != negated ? Truth.True : Truth.False;
}

internal sealed class BetweenExpr(Expr value, Expr low, Expr high) : Condition
{
    public override IReadOnlyList<Expr> Parts => [value, low, high];

    public override Truth Test(Frame frame)
    {
        var tested = value.Evaluate(frame);
        var lower = low.Evaluate(frame);
        var isAbove = CompareOperator.GreaterOrEqual.Compare(tested, lower, frame);
        if (isAbove == Truth.False) return Truth.False;
        var upper = high.Evaluate(frame);
        var isBelow = CompareOperator.LessOrEqual.Compare(tested, upper, frame);
        return isBelow == Truth.True ? isAbove : isBelow;
    }
}

internal sealed class InExpr(Expr value, Expr[] choices) : Condition
{
    public override IReadOnlyList<Expr> Parts => [value, .. choices];

    public override Truth Test(Frame frame)
    {
        var tested = value.Evaluate(frame);
        var result = Truth.False;
        foreach (var choice in choices)
        {
            var same = CompareOperator.Equal.Compare(tested, choice.Evaluate(frame), frame);
            if (same == Truth.True) return Truth.True;
            if (same == Truth.Unknown) result = Truth.Unknown;
        }

        return result;
    }
}
