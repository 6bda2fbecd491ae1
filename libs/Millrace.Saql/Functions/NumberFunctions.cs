using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>
/// Mathematical functions. ABS, CEILING, FLOOR, POWER, ROUND and SIGN keep the type of their argument.
/// </summary>
internal static class NumberFunctions
{
    public static IEnumerable<Function> All { get; } =
    [
        Keeping("ABS", Magnitude),
        Keeping("CEILING", (_, value) => value.Kind == ValueKind.BigInt ? value : Value.Of(Math.Ceiling(value.Number))),
        Keeping("FLOOR", (_, value) => value.Kind == ValueKind.BigInt ? value : Value.Of(Math.Floor(value.Number))),
        Keeping("SIGN", (_, value) => value.Kind == ValueKind.BigInt
            ? Value.Of((long)Math.Sign(value.Integer))
            : Value.Of((double)Math.Sign(value.Number))),
        new("ROUND", [Parameter.Number, Parameter.Integer], null, Rounding.Round, SameType: true),
        new("POWER", [Parameter.Number, Parameter.Number], null, Power, SameType: true),
        Real("EXP", Math.Exp),
        Real("SQRT", Math.Sqrt),
        Real("SQUARE", number => number * number),
        Real("LOG10", Math.Log10),
        new("LOG", [Parameter.Number, Parameter.Number], ValueKind.Float, Logarithm, Optional: 1),
        new("PI", [], ValueKind.Float, static (_, _) => Value.Of(Math.PI)),
        Real("SIN", Math.Sin),
        Real("COS", Math.Cos),
        Real("TAN", Math.Tan),
        Real("COT", number => 1 / Math.Tan(number)),
        Real("ASIN", Math.Asin),
        Real("ACOS", Math.Acos),
        Real("ATAN", Math.Atan),
        Real("DEGREES", number => number * (180 / Math.PI)),
        Real("RADIANS", number => number * (Math.PI / 180)),
        new("ATN2", [Parameter.Number, Parameter.Number], ValueKind.Float, static (frame, values) =>
            Finite(frame, "ATN2", values, Math.Atan2(values[0].AsNumber, values[1].AsNumber))),
    ];

    private static Function Keeping(string name, Func<Frame, Value, Value> body) =>
        new(name, [Parameter.Number], null, (frame, values) => body(frame, values[0]), SameType: true);

    private static Function Real(string name, Func<double, double> body) =>
        new(name, [Parameter.Number], ValueKind.Float,
            (frame, values) => Finite(frame, name, values, body(values[0].AsNumber)));

    private static Value Finite(Frame frame, string name, ReadOnlySpan<Value> values, double result) =>
        double.IsFinite(result)
            ? Value.Of(result)
            : frame.Fail(SaqlErrors.BadArgumentValue, $"{name}({List(values)}) has no finite value.");

    private static string List(ReadOnlySpan<Value> values) =>
        values.Length == 1 ? Shown.Of(values[0]) : $"{Shown.Of(values[0])}, {Shown.Of(values[1])}";

    private static Value TooLarge(Frame frame, string name, ReadOnlySpan<Value> values) =>
        frame.Fail(SaqlErrors.Overflow, $"{name}({List(values)}) does not fit a bigint.");

    private static Value Magnitude(Frame frame, Value value)
    {
        if (value.Kind == ValueKind.Float) return Value.Of(Math.Abs(value.Number));
        return value.Integer == long.MinValue
            ? frame.Fail(SaqlErrors.Overflow, $"ABS({value.Integer}) does not fit a bigint.")
            : Value.Of(Math.Abs(value.Integer));
    }

    private static Value Power(Frame frame, ReadOnlySpan<Value> values)
    {
        if (values[0].Kind == ValueKind.BigInt && values[1].Kind == ValueKind.BigInt
            && values[1].Integer is >= 0 and < 64)
            return WholePower(frame, values);
        var result = Math.Pow(values[0].AsNumber, values[1].AsNumber);
        var isNone = double.IsNaN(result) || (double.IsInfinity(result) && values[0].AsNumber == 0);
        if (values[0].Kind == ValueKind.Float || isNone) return Finite(frame, "POWER", values, result);
        return Conversion.TryConvert(Value.Of(result), ValueKind.BigInt, frame.Arena, out var whole)
            ? whole
            : TooLarge(frame, "POWER", values);
    }

    private static Value WholePower(Frame frame, ReadOnlySpan<Value> values)
    {
        Int128 result = 1;
        for (var i = 0; i < values[1].Integer; i++)
        {
            result *= values[0].Integer;
            if (result > long.MaxValue || result < long.MinValue) return TooLarge(frame, "POWER", values);
        }

        return Value.Of((long)result);
    }

    private static Value Logarithm(Frame frame, ReadOnlySpan<Value> values) => Finite(frame, "LOG", values,
        values.Length == 1 ? Math.Log(values[0].AsNumber) : Math.Log(values[0].AsNumber, values[1].AsNumber));
}
