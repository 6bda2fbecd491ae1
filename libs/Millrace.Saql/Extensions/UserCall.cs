using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using Millrace.Saql.Engine;
using Millrace.Saql.Functions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Extensions;

/// <summary>A user function as one of the language: values to objects and back.</summary>
internal static class UserCall
{
    public static Function FunctionOf(UserFunction user) => new(
        UserFunction.Prefix + user.Name, [.. user.Parameters.Select(ParameterOf)], null,
        (frame, arguments) => Call(user, frame, arguments), TakesNull: user.TakesNull)
    {
        IsTimed = true,
    };

    private static Parameter ParameterOf(UserType type) => type switch
    {
        UserType.Text => Parameter.Text,
        UserType.Integer => Parameter.Integer,
        UserType.Float => Parameter.Number,
        UserType.DateTime => Parameter.DateTime,
        _ => Parameter.Any,
    };

    private static Value Call(UserFunction user, Frame frame, ReadOnlySpan<Value> values)
    {
        var arguments = new object?[values.Length];
        try
        {
            for (var i = 0; i < values.Length; i++)
            {
                if (TryArgument(values[i], user.Parameters[i], out arguments[i])) continue;
                return frame.Fail(SaqlErrors.ValueMismatch, $"{UserFunction.Prefix}{user.Name}: argument {i + 1} " +
                    $"cannot be a {values[i].Kind.Name()}.");
            }

            return ValueOf(user.Call(arguments), frame);
        }
        catch (Exception failure)
        {
            return frame.Fail(SaqlErrors.FunctionFailed,
                $"{UserFunction.Prefix}{user.Name}: {failure.GetBaseException().Message}");
        }
    }

    private static bool TryArgument(in Value value, UserType type, out object? argument)
    {
        argument = null;
        if (value.IsNull) return true;
        if (type == UserType.Bit)
        {
            if (!Conversion.TryBit(value, out var bit)) return false;
            argument = bit.Bit;
            return true;
        }

        argument = value.Kind switch
        {
            ValueKind.Bit => value.Bit,
            ValueKind.BigInt when type == UserType.Float => (double)value.Integer,
            ValueKind.BigInt => value.Integer,
            ValueKind.Float => value.Number,
            ValueKind.DateTime => new DateTime(value.Ticks, DateTimeKind.Utc),
            ValueKind.Text => Encoding.UTF8.GetString(value.Utf8),
            _ => JsonElement.Parse(value.Utf8),
        };
        return true;
    }

    private static Value ValueOf(object? result, Frame frame) => result switch
    {
        null => Value.Null,
        bool bit => Value.Of(bit),
        long integer => Value.Of(integer),
        double number when double.IsFinite(number) => Value.Of(number),
        double => frame.Fail(SaqlErrors.Overflow, "A function gave no finite number."),
        DateTime time => Value.OfTicks(time.ToUniversalTime().Ticks),
        string text => frame.Arena.Add(text),
        JsonElement json => ValueOf(json, frame),
        _ => frame.Fail(SaqlErrors.FunctionFailed, $"It gave a {result.GetType()}, which is no value of the language."),
    };

    private static Value ValueOf(JsonElement json, Frame frame) => json.ValueKind switch
    {
        JsonValueKind.Object => frame.Composed(Encoding.UTF8.GetBytes(json.GetRawText()), ValueKind.Record),
        JsonValueKind.Array => frame.Composed(Encoding.UTF8.GetBytes(json.GetRawText()), ValueKind.Array),
        JsonValueKind.String => frame.Arena.Add(json.GetString()!),
        JsonValueKind.True or JsonValueKind.False => Value.Of(json.GetBoolean()),
        JsonValueKind.Number => NumberText.TryParse(JsonMarshal.GetRawUtf8Value(json), out var number) > 0
            ? number
            : frame.Fail(SaqlErrors.Overflow, "A function gave a number that fits neither a bigint nor a float."),
        _ => Value.Null,
    };
}
