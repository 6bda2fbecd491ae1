using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>
/// CASE: the first arm whose condition is true; without ELSE null. The simple form is bound as comparisons. Of arms
/// that surely are numbers, some of them floats, each gives a float.
/// </summary>
internal sealed class CaseExpr((Expr When, Expr Then)[] arms, Expr? otherwise) : Expr
{
    public override ValueKind? Type { get; } =
        Widest([.. arms.Select(arm => arm.Then), .. otherwise is null ? [] : new[] { otherwise }]);

    public override IReadOnlyList<Expr> Parts =>
        [.. arms.SelectMany(arm => new[] { arm.When, arm.Then }), .. otherwise is null ? [] : new[] { otherwise }];

    public override Value Evaluate(Frame frame)
    {
        var value = Chosen(frame);
        return Type == ValueKind.Float && value.Kind == ValueKind.BigInt ? Value.Of((double)value.Integer) : value;
    }

    private Value Chosen(Frame frame)
    {
        foreach (var (when, then) in arms)
        {
            if (when.Test(frame) == Truth.True) return then.Evaluate(frame);
        }

        return otherwise is null ? Value.Null : otherwise.Evaluate(frame);
    }

    internal static ValueKind? CommonType(IReadOnlyList<Expr> choices) => TypesOf(choices) is [var one] ? one : null;

    private static ValueKind? Widest(IReadOnlyList<Expr> choices) => TypesOf(choices) switch
    {
        [var one] => one,
        [ValueKind.BigInt, ValueKind.Float] or [ValueKind.Float, ValueKind.BigInt] => ValueKind.Float,
        _ => null,
    };

    private static List<ValueKind?> TypesOf(IReadOnlyList<Expr> choices) =>
        [.. choices.Where(choice => choice is not ConstantExpr { Value.IsNull: true }).Select(choice => choice.Type)
            .Distinct()];
}

internal sealed class CoalesceExpr(Expr[] choices) : Expr
{
    public override ValueKind? Type { get; } = CaseExpr.CommonType(choices);

    public override IReadOnlyList<Expr> Parts => choices;

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

    public override IReadOnlyList<Expr> Parts => [operand];

    public override Value Evaluate(Frame frame)
    {
        var value = operand.Evaluate(frame);
        if (Conversion.TryConvert(value, target, frame.Arena, out var result)) return result;
        return isTry
            ? Value.Null
            : frame.Fail(SaqlErrors.CastFailed, $"{Shown.Of(value)} ({value.Kind.Name()}) is no {target.Name()}.");
    }
}

/// <summary>
/// Whether a field is of its column's type. What a format says itself is not converted: a fraction is no bigint, and a
/// number no text. A format that has nothing but text says no types, so there whatever can be read as one is one.
/// </summary>
internal sealed class FitsExpr(Expr operand, ValueKind target) : Condition
{
    private const double IntegersEnd = 9223372036854775808.0;

    public override IReadOnlyList<Expr> Parts => [operand];

    public override Truth Test(Frame frame)
    {
        var value = operand.Evaluate(frame);
        return value.IsNull || value.Kind == target || Fits(value, frame) ? Truth.True : Truth.False;
    }

    private bool Fits(in Value value, Frame frame) => target switch
    {
        ValueKind.BigInt when value.Kind == ValueKind.Float => IsWhole(value.Number),
        ValueKind.BigInt => IsWritten(value, frame),
        ValueKind.Float => value.Kind == ValueKind.BigInt || IsWritten(value, frame),
        ValueKind.DateTime => value.Kind == ValueKind.Text && Conversion.TryDateTime(value, out _),
        ValueKind.Bit => IsWritten(value, frame),
        ValueKind.Text => frame.IsUntyped && value.Kind is ValueKind.Bit or ValueKind.BigInt or ValueKind.Float,
        _ => false,
    };

    private bool IsWritten(in Value value, Frame frame) => frame.IsUntyped && value.Kind == ValueKind.Text
        && Conversion.TryConvert(value, target, frame.Arena, out _);

    private static bool IsWhole(double number) =>
        Math.Truncate(number) == number && number is >= -IntegersEnd and < IntegersEnd;
}
