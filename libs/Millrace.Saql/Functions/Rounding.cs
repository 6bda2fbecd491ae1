using System.Globalization;
using Millrace.Saql.Engine;
using Millrace.Saql.Values;

namespace Millrace.Saql.Functions;

/// <summary>
/// ROUND: halves go away from zero, by the number's shortest decimal text: 123.9995 to 3 places is 124.0.
/// </summary>
internal static class Rounding
{
    /// <summary>Digits behind the point that a decimal has.</summary>
    private const int PlacesMax = 28;

    /// <summary>From here on a float has no digits behind the point that could be rounded away.</summary>
    private const double WholeFrom = 1e15;

    public static Value Round(Frame frame, ReadOnlySpan<Value> values)
    {
        var places = Math.Clamp(values[1].Integer, -400, 400);
        if (values[0].Kind == ValueKind.BigInt) return RoundInteger(frame, values[0].Integer, places);
        var number = values[0].Number;
        if (places < 0) return Value.Of(RoundLeft(number, (int)-places));
        return places > PlacesMax || Math.Abs(number) >= WholeFrom
            ? values[0]
            : Value.Of(RoundText(number, (int)places));
    }

    /// <summary>A conversion to decimal would keep 15 digits; the text has all 17.</summary>
    private static double RoundText(double number, int places)
    {
        Span<byte> text = stackalloc byte[64];
        var written = NumberText.Write(number, text);
        if (!decimal.TryParse(text[..written], NumberStyles.Float, CultureInfo.InvariantCulture, out var exact))
            return number;
        var rounded = Math.Round(exact, places, MidpointRounding.AwayFromZero);
        rounded.TryFormat(text, out written, default, CultureInfo.InvariantCulture);
        return double.Parse(text[..written], NumberStyles.Float, CultureInfo.InvariantCulture);
    }

    private static double RoundLeft(double number, int digits)
    {
        if (digits > 308) return 0;
        var unit = Math.Pow(10, digits);
        return Math.Round(number / unit, MidpointRounding.AwayFromZero) * unit;
    }

    private static Value RoundInteger(Frame frame, long number, long places)
    {
        if (places >= 0) return Value.Of(number);
        if (places < -19) return Value.Of(0L);
        Int128 unit = 1;
        for (var i = places; i < 0; i++) unit *= 10;
        var half = unit / 2 * (number < 0 ? -1 : 1);
        var rounded = (number + half) / unit * unit;
        return rounded >= long.MinValue && rounded <= long.MaxValue
            ? Value.Of((long)rounded)
            : frame.Fail(SaqlErrors.Overflow, $"ROUND({number}, {places}) does not fit a bigint.");
    }
}
