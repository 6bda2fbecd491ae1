using System.Runtime.CompilerServices;
using Millrace.Saql.Engine;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>What a function takes; the value is converted before the call, or the row fails.</summary>
internal enum Parameter : byte
{
    Any,
    Text,

    /// <summary>bigint or float.</summary>
    Number,

    /// <summary>bigint; a fraction is cut off.</summary>
    Integer,
    DateTime,

    /// <summary>Nothing else becomes one.</summary>
    Array,

    /// <summary>Nothing else becomes one.</summary>
    Record,
}

internal delegate Value FunctionBody(Frame frame, ReadOnlySpan<Value> arguments);

/// <summary>One scalar function.</summary>
/// <param name="Optional">How many of the last parameters may be left out.</param>
/// <param name="Returns">The type of its results; null when it depends on the arguments.</param>
/// <param name="SameType">The results are of the first argument's type.</param>
/// <param name="TakesNull">Called with nulls too; else a null argument makes the result null.</param>
internal sealed record Function(
    string Name, Parameter[] Parameters, ValueKind? Returns, FunctionBody Body, int Optional = 0, bool SameType = false,
    bool TakesNull = false)
{
    public const int ParametersMax = 8;

    /// <summary>Of a function of two geographies: the same, when both were read.</summary>
    public Func<Geography, Geography, Value>? OfGeographies { get; init; }

    /// <summary>It fails when it takes too long.</summary>
    public bool IsTimed { get; init; }

    public string Signature => $"{Name}({string.Join(", ", Parameters.Select(Describe))})";

    private string Describe(Parameter parameter, int index)
    {
        var name = parameter switch
        {
            Parameter.Text => "nvarchar(max)",
            Parameter.Number => "number",
            Parameter.Integer => "bigint",
            Parameter.DateTime => "datetime",
            Parameter.Array => "array",
            Parameter.Record => "record",
            _ => "any",
        };
        return index >= Parameters.Length - Optional ? $"[{name}]" : name;
    }
}

internal sealed class CallExpr(Function function, Expr[] arguments) : Expr
{
    public string Name => function.Name;

    public Expr[] Arguments => arguments;

    public override ValueKind? Type { get; } = function.SameType ? arguments[0].Type : function.Returns;

    public override bool IsSteady => !function.IsTimed;

    public override IReadOnlyList<Expr> Parts => arguments;

    public override Value Evaluate(Frame frame)
    {
        var values = default(ValueList);
        for (var i = 0; i < arguments.Length; i++)
        {
            var value = arguments[i].Evaluate(frame);
            if (value.IsNull && !function.TakesNull) return Value.Null;
            if (!TryTake(value, function.Parameters[i], frame, out values[i]))
            {
                return frame.Fail(SaqlErrors.ValueMismatch,
                    $"{function.Signature}: argument {i + 1} cannot be {Shown.Of(value)} ({value.Kind.Name()}).");
            }
        }

        return function.Body(frame, ((ReadOnlySpan<Value>)values)[..arguments.Length]);
    }

    private static bool TryTake(in Value value, Parameter parameter, Frame frame, out Value taken)
    {
        taken = value;
        if (value.IsNull) return true;
        switch (parameter)
        {
            case Parameter.Text:
                return value.Kind == ValueKind.Text ||
                    (value.Kind < ValueKind.Text && Conversion.TryText(value, frame.Arena, out taken));
            case Parameter.Number:
                return Conversion.TryNumber(value, out taken);
            case Parameter.Integer:
                return Conversion.TryNumber(value, out var number) &&
                    Conversion.TryConvert(number, ValueKind.BigInt, frame.Arena, out taken);
            case Parameter.DateTime:
                return Conversion.TryDateTime(value, out taken);
            case Parameter.Array:
                return value.Kind == ValueKind.Array;
            case Parameter.Record:
                return value.Kind == ValueKind.Record;
            default:
                return true;
        }
    }

    [InlineArray(Function.ParametersMax)]
    private struct ValueList
    {
        private Value _first;
    }
}
