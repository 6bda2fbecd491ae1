using System.Text;
using Millrace.Saql.Expressions;
using Millrace.Saql.Values;

namespace Millrace.Saql.Engine;

/// <summary>
/// A hash under which all values that "=" holds for are found, whatever their types: text that is a number or a time
/// is hashed as that. What has one hash need not be equal.
/// </summary>
internal static class LookupHash
{
    private const int TextBytesMax = 48;

    /// <summary>False when a key is null, which equals nothing.</summary>
    public static bool TryOf(Expr[] keys, Frame frame, out uint hash)
    {
        hash = 17;
        var isKnown = true;
        foreach (var key in keys)
        {
            var value = key.Evaluate(frame);
            isKnown &= !value.IsNull;
            hash = (hash * 0x9E3779B1) ^ Of(value);
        }

        return isKnown;
    }

    private static uint Of(in Value value)
    {
        switch (value.Kind)
        {
            case ValueKind.Bit or ValueKind.BigInt or ValueKind.Float:
                return OfNumber(value.AsNumber);
            case ValueKind.DateTime:
                return Fold(value.Ticks);
            case ValueKind.Text:
                return OfText(value);
            default:
                return 0;
        }
    }

    private static uint OfText(in Value text)
    {
        if (text.Length <= TextBytesMax)
        {
            if (Conversion.TryNumber(text, out var number)) return OfNumber(number.AsNumber);
            if (Conversion.TryDateTime(text, out var time)) return Fold(time.Ticks);
            if (Ascii.EqualsIgnoreCase(text.Utf8.Trim((byte)' '), "true"u8)) return OfNumber(1);
            if (Ascii.EqualsIgnoreCase(text.Utf8.Trim((byte)' '), "false"u8)) return OfNumber(0);
        }

        return GroupTable.Hash(text.Utf8);
    }

    private static uint OfNumber(double number) =>
        number == 0 ? 0 : Fold(BitConverter.DoubleToInt64Bits(double.IsNaN(number) ? double.NaN : number));

    /// <summary>Written out, because hashes stand in states and decide where rows go.</summary>
    private static uint Fold(long bits) => (uint)bits ^ (uint)(bits >> 32);
}
