using System.Numerics;

namespace Millrace.Saql.Engine;

/// <summary>
/// A sum of floats without rounding, so that what was added can be taken away again and nothing of it stays: the bits
/// of every float stand at their place in one long number, in words of 32 bits that have room for carries.
/// </summary>
internal sealed class ExactSum
{
    private const int WordBits = 32;

    /// <summary>The exponent of the least float's bit.</summary>
    private const int LeastExponent = -1074;
    private const int MantissaBits = 52;
    private const int ExponentsMax = 2046;

    /// <summary>Each holds the bits of at most 2^31 floats.</summary>
    private readonly long[] _words = new long[((ExponentsMax + MantissaBits) / WordBits) + 3];

    public static int Bytes => 8 * (((ExponentsMax + MantissaBits) / WordBits) + 3);

    public void Add(double number) => Put(number, number < 0 ? -1 : 1);

    public void Remove(double number) => Put(number, number < 0 ? 1 : -1);

    public void Clear() => Array.Clear(_words);

    /// <summary>The nearest float; infinity when there is none.</summary>
    public double Value
    {
        get
        {
            Span<uint> digits = stackalloc uint[_words.Length];
            var carry = 0L;
            for (var i = 0; i < digits.Length; i++)
            {
                carry += _words[i];
                digits[i] = (uint)carry;
                carry >>= WordBits;
            }

            if (carry < 0) Negate(digits);
            return carry < 0 ? -Rounded(digits) : Rounded(digits);
        }
    }

    private void Put(double number, long sign)
    {
        var bits = BitConverter.DoubleToUInt64Bits(number);
        var exponent = (int)(bits >> MantissaBits) & 0x7FF;
        var mantissa = bits & ((1UL << MantissaBits) - 1);
        // A float below the normal ones has the least exponent, and no hidden bit.
        if (exponent == 0) exponent = 1;
        else mantissa |= 1UL << MantissaBits;
        var place = exponent - 1;
        var shifted = (UInt128)mantissa << (place % WordBits);
        var word = place / WordBits;
        _words[word] += sign * (uint)shifted;
        _words[word + 1] += sign * (uint)(shifted >> WordBits);
        _words[word + 2] += sign * (uint)(shifted >> (2 * WordBits));
    }

    private static void Negate(Span<uint> digits)
    {
        var carry = 1UL;
        foreach (ref var digit in digits)
        {
            carry += ~digit;
            digit = (uint)carry;
            carry >>= WordBits;
        }
    }

    /// <summary>Halves go to the even neighbour, as all arithmetic of floats does.</summary>
    private static double Rounded(ReadOnlySpan<uint> digits)
    {
        var top = digits.LastIndexOfAnyExcept(0u);
        if (top < 0) return 0;
        var length = ((top + 1) * WordBits) - BitOperations.LeadingZeroCount(digits[top]);
        var dropped = Math.Max(0, length - (MantissaBits + 1));
        var kept = Bits(digits, dropped);
        if (dropped > 0 && (Bits(digits, dropped - 1) & 1) == 1 && ((kept & 1) == 1 || HasBelow(digits, dropped - 1)))
            kept++;
        return Math.ScaleB(kept, dropped + LeastExponent);
    }

    /// <summary>The 53 bits from a place on.</summary>
    private static ulong Bits(ReadOnlySpan<uint> digits, int place)
    {
        var word = place / WordBits;
        UInt128 window = 0;
        for (var i = Math.Min(word + 2, digits.Length - 1); i >= word; i--) window = (window << WordBits) | digits[i];
        return (ulong)(window >> (place % WordBits)) & ((1UL << (MantissaBits + 1)) - 1);
    }

    private static bool HasBelow(ReadOnlySpan<uint> digits, int place)
    {
        var word = place / WordBits;
        return digits[..word].ContainsAnyExcept(0u) || (digits[word] & ((1u << (place % WordBits)) - 1)) != 0;
    }
}
