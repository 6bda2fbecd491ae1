using System.Runtime.CompilerServices;

namespace Millrace.Saql.Values;

/// <summary>How two values compare. Text compares by its characters' code points, case and blanks included.</summary>
internal static class Comparison
{
    /// <summary>False when the values cannot be compared; nulls must be sorted out before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool TryCompare(in Value left, in Value right, out int order)
    {
        if (left.Kind == right.Kind && left.Kind != ValueKind.Float)
        {
            if (left.Kind <= ValueKind.DateTime)
            {
                order = left.Bits.CompareTo(right.Bits);
                return true;
            }

            order = left.Utf8.SequenceCompareTo(right.Utf8);
            return left.Kind == ValueKind.Text;
        }

        if (left.Kind.IsNumber() && right.Kind.IsNumber())
        {
            order = left.AsNumber.CompareTo(right.AsNumber);
            return true;
        }

        return TryCompareMixed(left, right, out order);
    }

    /// <summary>Values of two types: text becomes the other's type, a bit becomes a number.</summary>
    private static bool TryCompareMixed(in Value left, in Value right, out int order)
    {
        order = 0;
        if (left.Kind == ValueKind.DateTime || right.Kind == ValueKind.DateTime)
        {
            if (!Conversion.TryDateTime(left, out var from) || !Conversion.TryDateTime(right, out var to)) return false;
            order = from.Ticks.CompareTo(to.Ticks);
            return true;
        }

        if (left.Kind == ValueKind.Text && right.Kind == ValueKind.Bit)
        {
            if (!Conversion.TryBit(left, out var bit)) return false;
            order = bit.Bits.CompareTo(right.Bits);
            return true;
        }

        if (left.Kind == ValueKind.Bit && right.Kind == ValueKind.Text)
        {
            var comparable = TryCompareMixed(right, left, out order);
            order = -order;
            return comparable;
        }

        if (!Conversion.TryNumber(left, out var a) || !Conversion.TryNumber(right, out var b)) return false;
        order = a.Kind == ValueKind.BigInt && b.Kind == ValueKind.BigInt
            ? a.Integer.CompareTo(b.Integer)
            : a.AsNumber.CompareTo(b.AsNumber);
        return true;
    }
}
