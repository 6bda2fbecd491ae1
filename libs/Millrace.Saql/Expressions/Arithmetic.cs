using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>
/// + - * / %: bigint with bigint stays bigint, with a float it becomes float; text that is a number counts.
/// </summary>
internal sealed class ArithmeticExpr(char operation, Expr left, Expr right) : Expr
{
    public override ValueKind? Type { get; } = ResultType(operation, left.Type, right.Type);

    public override IReadOnlyList<Expr> Parts => [left, right];

    public override Value Evaluate(Frame frame)
    {
        var a = left.Evaluate(frame);
        var b = right.Evaluate(frame);
        if (a.IsNull || b.IsNull) return Value.Null;
        if (a.Kind == ValueKind.Float && b.Kind == ValueKind.Float) return Floats(a.Number, b.Number, frame);
        if (a.Kind == ValueKind.BigInt && b.Kind == ValueKind.BigInt) return Integers(a.Integer, b.Integer, frame);
        if (operation == '+' && a.Kind == ValueKind.Text && b.Kind == ValueKind.Text) return Joined(a, b, frame);
        if (!Conversion.TryNumber(a, out var x) || !Conversion.TryNumber(b, out var y))
        {
            return frame.Fail(SaqlErrors.ValueMismatch,
                $"{Shown.Of(a)} ({a.Kind.Name()}) {operation} {Shown.Of(b)} ({b.Kind.Name()}) is not defined.");
        }

        return x.Kind == ValueKind.BigInt && y.Kind == ValueKind.BigInt
            ? Integers(x.Integer, y.Integer, frame)
            : Floats(x.AsNumber, y.AsNumber, frame);
    }

    private Value Integers(long a, long b, Frame frame)
    {
        long result;
        bool fits;
        switch (operation)
        {
            case '+':
                result = unchecked(a + b);
                fits = ((a ^ result) & (b ^ result)) >= 0;
                break;
            case '-':
                result = unchecked(a - b);
                fits = ((a ^ b) & (a ^ result)) >= 0;
                break;
            case '*':
                fits = Math.BigMul(a, b, out result) == result >> 63;
                break;
            default:
                if (b == 0) return frame.Fail(SaqlErrors.DivideByZero, $"{a} {operation} 0");
                fits = operation == '%' || b != -1 || a != long.MinValue;
                result = !fits ? 0 : operation == '/' ? a / b : b == -1 ? 0 : a % b;
                break;
        }

        return fits ? Value.Of(result) : frame.Fail(SaqlErrors.Overflow, $"{a} {operation} {b} does not fit a bigint.");
    }

    private Value Floats(double a, double b, Frame frame)
    {
        if (b == 0 && operation is ('/' or '%'))
            return frame.Fail(SaqlErrors.DivideByZero, $"{Shown.Of(Value.Of(a))} {operation} 0");
        var result = operation switch { '+' => a + b, '-' => a - b, '*' => a * b, '/' => a / b, _ => a % b };
        if (double.IsFinite(result)) return Value.Of(result);
        return frame.Fail(SaqlErrors.Overflow,
            $"{Shown.Of(Value.Of(a))} {operation} {Shown.Of(Value.Of(b))} does not fit a float.");
    }

    private static Value Joined(in Value a, in Value b, Frame frame)
    {
        if (a.Length + b.Length > Frame.MadeBytesMax) return frame.TooLong("+");
        var room = frame.Arena.Reserve(a.Length + b.Length);
        a.Utf8.CopyTo(room);
        b.Utf8.CopyTo(room[a.Length..]);
        return frame.Arena.Commit(ValueKind.Text, a.Length + b.Length);
    }

    private static ValueKind? ResultType(char operation, ValueKind? left, ValueKind? right)
    {
        if (left == ValueKind.Text && right == ValueKind.Text && operation == '+') return ValueKind.Text;
        if (left == ValueKind.Float || right == ValueKind.Float) return ValueKind.Float;
        var areWhole = left is ValueKind.BigInt or ValueKind.Bit && right is ValueKind.BigInt or ValueKind.Bit;
        return areWhole ? ValueKind.BigInt : null;
    }
}

internal sealed class NegateExpr(Expr operand) : Expr
{
    public override ValueKind? Type => operand.Type == ValueKind.Float ? ValueKind.Float : null;

    public override IReadOnlyList<Expr> Parts => [operand];

    public override Value Evaluate(Frame frame)
    {
        var value = operand.Evaluate(frame);
        if (value.IsNull) return value;
        if (!Conversion.TryNumber(value, out var number))
            return frame.Fail(SaqlErrors.ValueMismatch, $"-{Shown.Of(value)} ({value.Kind.Name()}) is not defined.");
        if (number.Kind == ValueKind.Float) return Value.Of(-number.Number);
        return number.Integer == long.MinValue
            ? frame.Fail(SaqlErrors.Overflow, $"-({number.Integer}) does not fit a bigint.")
            : Value.Of(-number.Integer);
    }
}

/// <summary>&amp; | ^: bit with bit stays bit, else bigint.</summary>
internal sealed class BitwiseExpr(char operation, Expr left, Expr right) : Expr
{
    public override IReadOnlyList<Expr> Parts => [left, right];

    public override Value Evaluate(Frame frame)
    {
        var a = left.Evaluate(frame);
        var b = right.Evaluate(frame);
        if (a.IsNull || b.IsNull) return Value.Null;
        if (a.Kind is not (ValueKind.Bit or ValueKind.BigInt) || b.Kind is not (ValueKind.Bit or ValueKind.BigInt))
        {
            return frame.Fail(SaqlErrors.ValueMismatch,
                $"{Shown.Of(a)} ({a.Kind.Name()}) {operation} {Shown.Of(b)} ({b.Kind.Name()}) is not defined.");
        }

        var bits = operation switch { '&' => a.Bits & b.Bits, '|' => a.Bits | b.Bits, _ => a.Bits ^ b.Bits };
        return a.Kind == ValueKind.Bit && b.Kind == ValueKind.Bit ? Value.Of(bits != 0) : Value.Of(bits);
    }
}

internal sealed class ComplementExpr(Expr operand) : Expr
{
    public override IReadOnlyList<Expr> Parts => [operand];

    public override Value Evaluate(Frame frame)
    {
        var value = operand.Evaluate(frame);
        return value.Kind switch
        {
            ValueKind.Null => value,
            ValueKind.Bit => Value.Of(!value.Bit),
            ValueKind.BigInt => Value.Of(~value.Integer),
            _ => frame.Fail(SaqlErrors.ValueMismatch, $"~{Shown.Of(value)} ({value.Kind.Name()}) is not defined."),
        };
    }
}
