using System.Numerics;

namespace Millrace.Cql;

/// <summary>
/// A <c>decimal</c> of CQL, of any size: <see cref="Unscaled"/> times ten to the power of minus <see cref="Scale"/>.
/// .NET's decimal ends at 28 digits.
/// </summary>
public readonly record struct CqlDecimal(BigInteger Unscaled, int Scale)
{
    // The fraction of .NET's decimal has at most this many digits.
    private const int DotNetScaleMax = 28;

    public static implicit operator CqlDecimal(decimal value)
    {
        Span<int> bits = stackalloc int[4];
        decimal.GetBits(value, bits);
        var unscaled = ((BigInteger)(uint)bits[2] << 64) | ((BigInteger)(uint)bits[1] << 32) | (uint)bits[0];
        return new CqlDecimal(value < 0 ? -unscaled : unscaled, (bits[3] >> 16) & 0xFF);
    }

    /// <summary>The same number as .NET has it, when it can be held without loss; else a CQ-9009.</summary>
    public static explicit operator decimal(CqlDecimal value) =>
        value.TryToDecimal(out var result) ? result : throw CqlErrors.ValueOutOfRange.With(value).AsCql();

    public override string ToString() => $"{Unscaled}E{-(long)Scale}";

    private bool TryToDecimal(out decimal result)
    {
        var (unscaled, scale) = (Unscaled, Scale);
        result = 0;
        if (unscaled.IsZero) return true;
        for (; scale > DotNetScaleMax; scale--)
        {
            unscaled = BigInteger.DivRem(unscaled, 10, out var lost);
            if (!lost.IsZero) return false;
        }

        // A number with more zeros than this at its end is out of range anyway.
        if (scale < -DotNetScaleMax) return false;
        if (scale < 0) (unscaled, scale) = (unscaled * BigInteger.Pow(10, -scale), 0);
        var magnitude = BigInteger.Abs(unscaled);
        if (magnitude.GetBitLength() > 96) return false;
        var (low, mid, high) = ((uint)(magnitude & uint.MaxValue), (uint)((magnitude >> 32) & uint.MaxValue),
            (uint)(magnitude >> 64));
        result = new decimal((int)low, (int)mid, (int)high, unscaled.Sign < 0, (byte)scale);
        return true;
    }
}
