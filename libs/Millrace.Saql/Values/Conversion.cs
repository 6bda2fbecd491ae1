using System.Text;

namespace Millrace.Saql.Values;

/// <summary>CAST: one value to another type. Failure is a false, the caller says what it means.</summary>
internal static class Conversion
{
    public static bool TryConvert(in Value value, ValueKind target, TextArena arena, out Value result)
    {
        result = value;
        if (value.Kind == target || value.IsNull) return true;
        return target switch
        {
            ValueKind.BigInt => TryInteger(value, out result),
            ValueKind.Float => TryFloat(value, out result),
            ValueKind.Bit => TryBit(value, out result),
            ValueKind.DateTime => TryDateTime(value, out result),
            ValueKind.Text => TryText(value, arena, out result),
            _ => false,
        };
    }

    /// <summary>A number as it stands in text, a bit as 0 or 1; other values are no numbers.</summary>
    public static bool TryNumber(in Value value, out Value number)
    {
        number = value;
        switch (value.Kind)
        {
            case ValueKind.BigInt or ValueKind.Float:
                return true;
            case ValueKind.Bit:
                number = Value.Of(value.Bits);
                return true;
            case ValueKind.Text:
                return NumberText.TryParseAll(value.Utf8, out number);
            default:
                return false;
        }
    }

    public static bool TryDateTime(in Value value, out Value time)
    {
        time = value;
        if (value.Kind == ValueKind.DateTime) return true;
        if (value.Kind != ValueKind.Text || !DateTimeText.TryParse(value.Utf8, out var ticks)) return false;
        time = Value.OfTicks(ticks);
        return true;
    }

    public static bool TryBit(in Value value, out Value bit)
    {
        bit = value;
        switch (value.Kind)
        {
            case ValueKind.Bit:
                return true;
            case ValueKind.BigInt:
                bit = Value.Of(value.Integer != 0);
                return true;
            case ValueKind.Float:
                bit = Value.Of(value.Number != 0);
                return true;
            case ValueKind.Text:
                var text = value.Utf8.Trim((byte)' ');
                var isTrue = Ascii.EqualsIgnoreCase(text, "true"u8) || text.SequenceEqual("1"u8);
                bit = Value.Of(isTrue);
                return isTrue || Ascii.EqualsIgnoreCase(text, "false"u8) || text.SequenceEqual("0"u8);
            default:
                return false;
        }
    }

    /// <summary>Whole text of any value that has one: what CAST AS nvarchar(max) and CONCAT give.</summary>
    public static bool TryText(in Value value, TextArena arena, out Value text)
    {
        text = value;
        var room = value.HasBytes ? default : arena.Reserve(64);
        switch (value.Kind)
        {
            case ValueKind.Bit:
                text = arena.Add(value.Bit ? "true"u8 : "false"u8);
                return true;
            case ValueKind.BigInt:
                text = arena.Commit(ValueKind.Text, NumberText.Write(value.Integer, room));
                return true;
            case ValueKind.Float:
                text = arena.Commit(ValueKind.Text, WriteFloat(value.Number, room));
                return true;
            case ValueKind.DateTime:
                text = arena.Commit(ValueKind.Text, DateTimeText.Write(value.Ticks, room));
                return true;
            case ValueKind.Record or ValueKind.Array:
                var compact = arena.Reserve(value.Length);
                text = arena.Commit(ValueKind.Text, Json.JsonScanner.Compact(value.Utf8, compact));
                return true;
            default:
                return true;
        }
    }

    private static bool TryInteger(in Value value, out Value integer)
    {
        integer = value;
        switch (value.Kind)
        {
            case ValueKind.Bit:
                integer = Value.Of(value.Bits);
                return true;
            case ValueKind.Float:
                var number = Math.Truncate(value.Number);
                integer = Value.Of((long)number);
                return number is >= -9223372036854775808.0 and < 9223372036854775808.0;
            case ValueKind.Text:
                return NumberText.TryParseAll(value.Utf8, out integer) && integer.Kind == ValueKind.BigInt;
            default:
                return false;
        }
    }

    private static bool TryFloat(in Value value, out Value number)
    {
        if (!TryNumber(value, out number)) return false;
        if (number.Kind == ValueKind.BigInt) number = Value.Of((double)number.Integer);
        return true;
    }

    /// <summary>As text a whole float has no ".0": CAST(20.0 AS nvarchar(max)) is '20'.</summary>
    private static int WriteFloat(double number, Span<byte> target)
    {
        var written = NumberText.Write(number, target);
        return target[..written].EndsWith(".0"u8) ? written - 2 : written;
    }
}
