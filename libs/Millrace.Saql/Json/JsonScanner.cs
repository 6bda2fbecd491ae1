using System.Buffers;
using System.Runtime.CompilerServices;
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

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SkipBlanks()
    {
        while (At < _json.Length && _json[At] <= ' '
            && _json[At] is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')
            At++;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TrySkip(byte wanted)
    {
        if (Current != wanted) return false;
        At++;
        return true;
    }

    /// <summary>A string: where its content starts and how long it is, as written.</summary>
    public bool TryString(out int start, out int length, out bool escaped)
    {
        start = At + 1;
        length = 0;
        escaped = false;
        if (Current != '"') return false;
        var end = start;
        while (true)
        {
            if (end > _json.Length) return false;
            var stop = _json[end..].IndexOfAny(StringStops);
            if (stop < 0) return false;
            end += stop;
            if (_json[end] == '"') break;
            if (_json[end] != '\\') return false;
            escaped = true;
            var size = EscapeLength(_json[end..]);
            if (size == 0) return false;
            end += size;
        }

        length = end - start;
        At = end + 1;
        return true;
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
    public bool TrySkipValue()
    {
        ulong isObject = 0;
        var depth = 0;
        while (true)
        {
            var opened = false;
            switch (Current)
            {
                case (byte)'{' or (byte)'[':
                    if (depth + Level == DepthMax) return false;
                    isObject = (isObject << 1) | (Current == '{' ? 1UL : 0);
                    depth++;
                    At++;
                    opened = true;
                    break;
                case (byte)'"':
                    if (!TryString(out _, out _, out _)) return false;
                    break;
                case (byte)'t':
                    if (!TryLiteral("true"u8)) return false;
                    break;
                case (byte)'f':
                    if (!TryLiteral("false"u8)) return false;
                    break;
                case (byte)'n':
                    if (!TryLiteral("null"u8)) return false;
                    break;
                default:
                    if (!TrySkipNumber()) return false;
                    break;
            }

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
        var start = At;
        if (Current == '-') At++;
        var first = At;
        if (!SkipDigits() || (_json[first] == '0' && At - first > 1)) return false;
        if (TrySkip((byte)'.') && !SkipDigits()) return false;
        if (Current is (byte)'e' or (byte)'E')
        {
            At++;
            if (Current is (byte)'+' or (byte)'-') At++;
            if (!SkipDigits()) return false;
        }

        return At > start;
    }

    private bool SkipDigits()
    {
        var start = At;
        while (Current is >= (byte)'0' and <= (byte)'9') At++;
        return At > start;
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
