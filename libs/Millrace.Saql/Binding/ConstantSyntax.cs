using Millrace.Saql.Functions;
using Millrace.Saql.Parsing;

namespace Millrace.Saql.Binding;

/// <summary>Numbers where only a constant can stand, such as 60 * 5: what can be computed without a row.</summary>
internal static class ConstantSyntax
{
    /// <summary>More parts than this are no slip of a pen, and looked at once for each of them.</summary>
    private const int PartsMax = 100;

    /// <summary>Whether nothing of a row stands in an expression of a few parts.</summary>
    public static bool IsConstant(ExpressionSyntax syntax)
    {
        var left = PartsMax;
        return IsConstant(syntax, ref left);
    }

    private static bool IsConstant(ExpressionSyntax syntax, ref int left) => --left >= 0 && syntax switch
    {
        LiteralSyntax => true,
        UnarySyntax unary => IsConstant(unary.Operand, ref left),
        BinarySyntax both => IsConstant(both.Right, ref left) && IsConstant(both.Left, ref left),
        BetweenSyntax between => AreConstant([between.Value, between.Low, between.High], ref left),
        IsNullSyntax isNull => IsConstant(isNull.Value, ref left),
        CastSyntax cast => IsConstant(cast.Value, ref left),
        CallSyntax call when FunctionTable.TryFind(call.Name.ToUpperInvariant(), out _) =>
            AreConstant(call.Arguments, ref left),
        CallSyntax call when DateFunctions.WithPart.Contains(call.Name.ToUpperInvariant()) =>
            AreConstant([.. call.Arguments.Skip(1)], ref left),
        _ => false,
    };

    private static bool AreConstant(IReadOnlyList<ExpressionSyntax> parts, ref int left)
    {
        foreach (var part in parts)
        {
            if (!IsConstant(part, ref left)) return false;
        }

        return true;
    }

    /// <summary>A long, a double, or null when it is no constant number.</summary>
    public static object? Of(ExpressionSyntax syntax) => syntax switch
    {
        LiteralSyntax { Value: long or double } literal => literal.Value,
        UnarySyntax { Operator: "-" } minus => Of(minus.Operand) switch
        {
            long whole when whole != long.MinValue => -whole,
            double number => -number,
            _ => null,
        },
        UnarySyntax { Operator: "+" } plus => Of(plus.Operand),
        BinarySyntax binary => (Of(binary.Left), Of(binary.Right)) switch
        {
            (long left, long right) => Whole(binary.Operator, left, right),
            ({ } left, { } right) => Real(binary.Operator, Convert.ToDouble(left), Convert.ToDouble(right)),
            _ => null,
        },
        _ => null,
    };

    public static double? Number(ExpressionSyntax syntax) => Of(syntax) switch
    {
        long whole => whole,
        double number => number,
        _ => null,
    };

    public static long? Integer(ExpressionSyntax syntax) => Of(syntax) as long?;

    /// <summary>As the language computes with bigints: whole, and without what does not fit.</summary>
    private static object? Whole(string operation, long left, long right)
    {
        Int128? result = operation switch
        {
            "+" => (Int128)left + right,
            "-" => (Int128)left - right,
            "*" => (Int128)left * right,
            "/" when right != 0 => (Int128)left / right,
            "%" when right != 0 => (Int128)left % right,
            _ => null,
        };
        return result is { } fits && fits >= long.MinValue && fits <= long.MaxValue ? (long)fits : null;
    }

    private static object? Real(string operation, double left, double right)
    {
        double? result = operation switch
        {
            "+" => left + right,
            "-" => left - right,
            "*" => left * right,
            "/" => left / right,
            "%" => left % right,
            _ => null,
        };
        return result is { } number && double.IsFinite(number) ? number : null;
    }
}
