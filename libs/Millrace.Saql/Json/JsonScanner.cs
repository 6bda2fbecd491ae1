using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Millrace.Saql.Values;

namespace Millrace.Saql.Json;

/// <summary>
/// One pass over JSON text (RFC 8259), checked as it goes: every method gives false at the first byte that does not
/// fit. That the text is UTF-8 must be known before.
/// </summary>
internal ref partial struct JsonScanner(ReadOnlySpan<byte> json, int at = 0)
{
    /// <summary>Levels of objects and arrays: the bits of the stack.</summary>
    public const int DepthMax = 64;

    private static readonly SearchValues<byte> StringStops = SearchValues.Create(StopBytes());
    private static readonly SearchValues<byte> Brackets = SearchValues.Create("{}[]\""u8);

    private readonly ReadOnlySpan<byte> _json = json;

    /// <summary>Index of the next byte.</summary>
    public int At = at;

    /// <summary>How many objects around what comes next count for its depth.</summary>
    public int Level;

    public readonly byte Current => (uint)At < (uint)_json.Length ? _json[At] : (byte)0;

    public readonly bool AtEnd => At >= _json.Length;

    /// <summary>How many bytes there still are.</summary>
    public readonly int Left => _json.Length - At;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SkipBlanks()
    {
        if ((uint)At < (uint)_json.Length && _json[At] > ' ') return;
        PassBlanks();
    }

    private void PassBlanks()
    {
        while (At < _json.Length && _json[At] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') At++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySkip(byte wanted)
    {
        if (Current != wanted) return false;
        At++;
        return true;
    }

    /// <summary>A string: where its content starts and how long it is, as written.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryString(out int start, out int length, out bool escaped)
    {
        start = At + 1;
        escaped = false;
        var stop = Current == '"' ? StringStop(_json, start) : -1;
        if ((uint)stop < (uint)_json.Length && _json[stop] == '"')
        {
            length = stop - start;
            At = stop + 1;
            return true;
        }

        return TryEscaped(stop, start, out length, out escaped);
    }

    private bool TryEscaped(int stop, int start, out int length, out bool escaped)
    {
        length = 0;
        escaped = false;
        while ((uint)stop < (uint)_json.Length)
        {
            if (_json[stop] == '"')
            {
                length = stop - start;
                At = stop + 1;
                return true;
            }

            if (_json[stop] != '\\') return false;
            escaped = true;
            var size = EscapeLength(_json[stop..]);
            if (size == 0) return false;
            stop = StringStop(_json, stop + size);
        }

        return false;
    }

    /// <summary>
    /// Index of the first byte that a string does not hold as it is; -1 when there is none. Names and values are
    /// short: a load finds the end of most.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int StringStop(ReadOnlySpan<byte> json, int from)
    {
        if (json.Length - from < Vector128<byte>.Count) return ShortStringStop(json, from);
        var text = Vector128.LoadUnsafe(ref MemoryMarshal.GetReference(json), (uint)from);
        var stops = (Vector128.Equals(text, Vector128.Create((byte)'"'))
            | Vector128.Equals(text, Vector128.Create((byte)'\\'))
            | Vector128.LessThan(text, Vector128.Create((byte)' '))).ExtractMostSignificantBits();
        return stops != 0
            ? from + BitOperations.TrailingZeroCount(stops)
            : LongStringStop(json, from + Vector128<byte>.Count);
    }

    private static int LongStringStop(ReadOnlySpan<byte> json, int from)
    {
        var stop = json[from..].IndexOfAny(StringStops);
        return stop < 0 ? -1 : from + stop;
    }

    private static int ShortStringStop(ReadOnlySpan<byte> json, int from)
    {
        for (; from < json.Length; from++)
        {
            if (json[from] is (byte)'"' or (byte)'\\' or < (byte)' ') return from;
        }

        return -1;
    }

    public bool TryNumber(out Value value)
    {
        var length = NumberText.TryParse(_json[At..], out value);
        At += length;
        return length > 0;
    }

    public bool TryLiteral(ReadOnlySpan<byte> word)
    {
        if (!_json[At..].StartsWith(word)) return false;
        At += word.Length;
        return true;
    }

    /// <summary>Any value, without reading it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySkipValue() => Current is (byte)'{' or (byte)'[' ? TrySkipContainer() : TrySkipScalar();

    private bool TrySkipScalar() => Current switch
    {
        (byte)'"' => TryString(out _, out _, out _),
        (byte)'t' => TryLiteral("true"u8),
        (byte)'f' => TryLiteral("false"u8),
        (byte)'n' => TryLiteral("null"u8),
        _ => TrySkipNumber(),
    };

    private bool TrySkipContainer()
    {
        ulong isObject = 0;
        var depth = 0;
        while (true)
        {
            var opened = Current is (byte)'{' or (byte)'[';
            if (opened)
            {
                if (depth + Level == DepthMax) return false;
                isObject = (isObject << 1) | (Current == '{' ? 1UL : 0);
                depth++;
                At++;
            }
            else if (!TrySkipScalar()) return false;

            while (true)
            {
                if (depth == 0) return true;
                SkipBlanks();
                var inObject = (isObject & 1) != 0;
                if (TrySkip(inObject ? (byte)'}' : (byte)']'))
                {
                    isObject >>= 1;
                    depth--;
                    opened = false;
                    continue;
                }

                if (!opened && !TrySkip((byte)',')) return false;
                SkipBlanks();
                if (inObject && !TryName(out _, out _, out _)) return false;
                break;
            }
        }
    }

    /// <summary>Any value of text that was checked before, however deep it is: by its brackets alone.</summary>
    public void PassValue() => PassValue(out _);

    /// <summary>Whether text that was checked before has more levels than a reader takes.</summary>
    public static bool IsTooDeep(ReadOnlySpan<byte> json)
    {
        if (json.Length <= 2 * DepthMax) return false;
        var scanner = new JsonScanner(json);
        scanner.SkipBlanks();
        scanner.PassValue(out var levels);
        return levels > DepthMax;
    }

    private void PassValue(out int levels)
    {
        levels = 0;
        var depth = 0;
        do
        {
            switch (Current)
            {
                case (byte)'{' or (byte)'[':
                    levels = Math.Max(levels, ++depth);
                    At++;
                    break;
                case (byte)'}' or (byte)']':
                    depth--;
                    At++;
                    break;
                default:
                    if (!TrySkipValue()) At = _json.Length;
                    break;
            }

            if (depth <= 0) return;
            var next = _json[At..].IndexOfAny(Brackets);
            At = next < 0 ? _json.Length : At + next;
        }
        while (!AtEnd);
    }

    /// <summary>The name of a member, its colon and the blanks around it.</summary>
    public bool TryName(out int start, out int length, out bool escaped)
    {
        if (!TryString(out start, out length, out escaped)) return false;
        SkipBlanks();
        if (!TrySkip((byte)':')) return false;
        SkipBlanks();
        return true;
    }

    private bool TrySkipNumber()
    {
        var json = _json;
        var at = At;
        if ((uint)at < (uint)json.Length && json[at] == '-') at++;
        var first = at;
        while ((uint)at < (uint)json.Length && (uint)(json[at] - '0') <= 9) at++;
        if (at == first || (json[first] == '0' && at - first > 1)) return false;
        if ((uint)at < (uint)json.Length && json[at] == '.')
        {
            first = ++at;
            while ((uint)at < (uint)json.Length && (uint)(json[at] - '0') <= 9) at++;
            if (at == first) return false;
        }

        if ((uint)at < (uint)json.Length && (json[at] | 0x20) == 'e')
        {
            if ((uint)++at < (uint)json.Length && json[at] is (byte)'+' or (byte)'-') at++;
            first = at;
            while ((uint)at < (uint)json.Length && (uint)(json[at] - '0') <= 9) at++;
            if (at == first) return false;
        }

        At = at;
        return true;
    }

    /// <summary>Length of the escape at the start; 0 when it is none.</summary>
    private static int EscapeLength(ReadOnlySpan<byte> text)
    {
        if (text.Length < 2) return 0;
        if (text[1] != 'u') return "\"\\/bfnrt"u8.Contains(text[1]) ? 2 : 0;
        if (text.Length < 6) return 0;
        foreach (var digit in text[2..6])
        {
            if (!char.IsAsciiHexDigit((char)digit)) return 0;
        }

        return 6;
    }

    private static byte[] StopBytes()
    {
        var stops = new List<byte> { (byte)'"', (byte)'\\' };
        for (byte control = 0; control < 0x20; control++) stops.Add(control);
        return [.. stops];
    }
}
