using System.Globalization;
using System.Text;
using Millrace.Saql.Values;

namespace Millrace.Saql.Expressions;

/// <summary>Values as failure reasons show them.</summary>
internal static class Shown
{
    private const int LengthMax = 60;

    public static string Of(in Value value) => value.Kind switch
    {
        ValueKind.Null => "null",
        ValueKind.Bit => value.Bit ? "true" : "false",
        ValueKind.BigInt => value.Integer.ToString(CultureInfo.InvariantCulture),
        ValueKind.Float => value.Number.ToString(CultureInfo.InvariantCulture),
        ValueKind.DateTime => new DateTime(value.Ticks, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture),
        ValueKind.Text => $"'{Shorten(value.Utf8)}'",
        _ => Shorten(value.Utf8),
    };

    private static string Shorten(ReadOnlySpan<byte> utf8)
    {
        if (utf8.Length <= LengthMax) return Encoding.UTF8.GetString(utf8);
        var end = LengthMax;
        while (end > 0 && (utf8[end] & 0xC0) == 0x80) end--;
        return Encoding.UTF8.GetString(utf8[..end]) + "...";
    }
}
