using System.Buffers.Text;
using System.Globalization;

namespace Millrace.Saql.Values;

/// <summary>Numbers from and to text, in UTF-8.</summary>
internal static class NumberText
{
    /// <summary>Enough for any number that is written here.</summary>
    public const int LengthMax = 32;

    private static readonly double[] PowersOfTen =
    [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];

    /// <summary>
    /// A number of the JSON grammar at the start of the text: without fraction and exponent a bigint, else a float.
    /// </summary>
    /// <returns>Its length; 0 when there is none or it does not fit.</returns>
    public static int TryParse(ReadOnlySpan<byte> text, out Value value) =>
        TryParse(text, zerosMayLead: false, out value);

    private static int TryParse(ReadOnlySpan<byte> text, bool zerosMayLead, out Value value)
    {
        value = default;
        var at = 0;
        var negative = text.Length > 0 && text[0] == '-';
        if (negative) at++;
        ulong mantissa = 0;
        var digitsStart = at;
        while (at < text.Length && (uint)(text[at] - '0') <= 9) mantissa = (mantissa * 10) + (uint)(text[at++] - '0');
        var digits = at - digitsStart;
        if (digits == 0) return 0;
        if (digits > 1 && text[digitsStart] == '0')
        {
            if (!zerosMayLead) return 0;
            digits = text[digitsStart..at].TrimStart((byte)'0').Length;
        }

        var isFloat = false;
        var exponent = 0;
        if (at < text.Length && text[at] == '.')
        {
            isFloat = true;
            var fractionStart = ++at;
            while (at < text.Length && (uint)(text[at] - '0') <= 9)
                mantissa = (mantissa * 10) + (uint)(text[at++] - '0');
            exponent = fractionStart - at;
            if (exponent == 0) return 0;
            digits -= exponent;
        }

        if (at < text.Length && (text[at] | 0x20) == 'e')
        {
            isFloat = true;
            var length = ReadExponent(text[at..], out var written);
            if (length == 0) return 0;
            at += length;
            exponent += written;
        }

        if (!isFloat) return TryInteger(text[..at], mantissa, digits, negative, out value) ? at : 0;
        if (digits <= 15 && exponent is >= -22 and <= 22)
        {
            var number = exponent < 0 ? mantissa / PowersOfTen[-exponent] : mantissa * PowersOfTen[exponent];
            value = Value.Of(negative ? -number : number);
            return at;
        }

        if (!double.TryParse(text[..at], NumberStyles.Float, CultureInfo.InvariantCulture, out var slow)) return 0;
        if (!double.IsFinite(slow)) return 0;
        value = Value.Of(slow);
        return at;
    }

    /// <summary>A whole text that is a number; blanks around it, and zeros and a plus before it, are allowed.</summary>
    public static bool TryParseAll(ReadOnlySpan<byte> text, out Value value)
    {
        text = text.Trim(" \t\r\n"u8);
        if (text.Length > 0 && text[0] == '+') text = text[1..];
        if (text.Length > 0 && TryParse(text, zerosMayLead: true, out value) == text.Length) return true;
        var written = Utf8Parser.TryParse(text, out double number, out var consumed) && consumed == text.Length;
        value = Value.Of(number);
        return written && double.IsFinite(number);
    }

    /// <summary>Writes the shortest text that gives this float again; at least one digit after the point.</summary>
    public static int Write(double number, Span<byte> target)
    {
        number.TryFormat(target, out var written, default, CultureInfo.InvariantCulture);
        if (target[..written].ContainsAnyExceptInRange((byte)'-', (byte)'9') || target[..written].Contains((byte)'.'))
            return written;
        target[written++] = (byte)'.';
        target[written++] = (byte)'0';
        return written;
    }

    public static int Write(long number, Span<byte> target)
    {
        Utf8Formatter.TryFormat(number, target, out var written);
        return written;
    }

    private static bool TryInteger(
        ReadOnlySpan<byte> text, ulong magnitude, int digits, bool negative, out Value value)
    {
        if (digits <= 18)
        {
            value = Value.Of(negative ? -(long)magnitude : (long)magnitude);
            return true;
        }

        var fits = Utf8Parser.TryParse(text, out long number, out var consumed) && consumed == text.Length;
        value = Value.Of(number);
        return fits;
    }

    private static int ReadExponent(ReadOnlySpan<byte> text, out int exponent)
    {
        exponent = 0;
        var at = 1;
        var negative = at < text.Length && text[at] == '-';
        if (at < text.Length && text[at] is (byte)'-' or (byte)'+') at++;
        var start = at;
        while (at < text.Length && (uint)(text[at] - '0') <= 9)
            exponent = Math.Min((exponent * 10) + (text[at++] - '0'), 100_000);
        if (negative) exponent = -exponent;
        return at == start ? 0 : at;
    }
}
