using System.Buffers.Text;
using System.Text;
using System.Text.Unicode;

namespace Millrace.Primitives;

/// <summary>
/// Whether JSON holds text alone. A parser takes an escaped half of a surrogate pair (<c>\ud800</c>) and bytes that
/// are no UTF-8, and who writes it on or asks for its text fails later.
/// </summary>
public static class JsonText
{
    private const int EscapeLength = 6;

    /// <summary>Whether it can be written on; <paramref name="json"/> was parsed already.</summary>
    public static bool IsSound(ReadOnlySpan<byte> json) => Utf8.IsValid(json) && HalfAt(json, 0) < 0;

    /// <summary>The same with U+FFFD in place of what is no text.</summary>
    public static byte[] Mended(ReadOnlySpan<byte> json)
    {
        var mended = Utf8.IsValid(json) ? json.ToArray() : Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(json));
        for (var at = HalfAt(mended, 0); at >= 0; at = HalfAt(mended, at + EscapeLength))
            @"\ufffd"u8.CopyTo(mended.AsSpan(at));
        return mended;
    }

    /// <summary>Where the first escape of half a pair is, or -1.</summary>
    private static int HalfAt(ReadOnlySpan<byte> json, int from)
    {
        while (from < json.Length && json[from..].IndexOf((byte)'\\') is >= 0 and var distance)
        {
            var at = from + distance;
            var unit = UnitAt(json, at);
            if (unit is null) from = at + 2;
            else if (!char.IsSurrogate(unit.Value)) from = at + EscapeLength;
            else if (IsPair(unit.Value, UnitAt(json, at + EscapeLength))) from = at + 2 * EscapeLength;
            else return at;
        }

        return -1;
    }

    private static bool IsPair(char unit, char? next) => next is { } low && char.IsSurrogatePair(unit, low);

    /// <summary>The UTF-16 unit that is escaped here as \uXXXX; null where none is.</summary>
    private static char? UnitAt(ReadOnlySpan<byte> json, int at) =>
        at + EscapeLength <= json.Length && json[at..].StartsWith(@"\u"u8)
        && Utf8Parser.TryParse(json.Slice(at + 2, 4), out ushort unit, out var digits, 'X') && digits == 4
            ? (char)unit
            : null;
}
