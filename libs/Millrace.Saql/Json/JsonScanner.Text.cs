using System.Text;

namespace Millrace.Saql.Json;

/// <summary>What needs no scanner: of a text that is not read, or was checked before.</summary>
internal ref partial struct JsonScanner
{
    /// <summary>The first byte that is no blank; 0 when there is none.</summary>
    public static byte FirstToken(ReadOnlySpan<byte> json)
    {
        foreach (var octet in json)
        {
            if (octet is not ((byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t')) return octet;
        }

        return 0;
    }

    /// <summary>The text without the blanks between its tokens; the target is at least as long.</summary>
    public static int Compact(ReadOnlySpan<byte> json, Span<byte> target)
    {
        var written = 0;
        var inString = false;
        for (var i = 0; i < json.Length; i++)
        {
            var octet = json[i];
            if (inString)
            {
                target[written++] = octet;
                if (octet == '\\') target[written++] = json[++i];
                else if (octet == '"') inString = false;
                continue;
            }

            if (octet is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t') continue;
            inString = octet == '"';
            target[written++] = octet;
        }

        return written;
    }

    /// <summary>
    /// Text with its escapes resolved; a lone surrogate becomes U+FFFD. Never longer than as written.
    /// </summary>
    public static int Unescape(ReadOnlySpan<byte> written, Span<byte> target)
    {
        var length = 0;
        for (var i = 0; i < written.Length; i++)
        {
            if (written[i] != '\\')
            {
                target[length++] = written[i];
                continue;
            }

            if (written[++i] != 'u')
            {
                target[length++] = written[i] switch
                {
                    (byte)'b' => (byte)'\b',
                    (byte)'f' => (byte)'\f',
                    (byte)'n' => (byte)'\n',
                    (byte)'r' => (byte)'\r',
                    (byte)'t' => (byte)'\t',
                    var other => other,
                };
                continue;
            }

            var unit = HexUnit(written[(i + 1)..]);
            i += 4;
            if (!Rune.TryCreate(unit, out var rune))
            {
                rune = Rune.ReplacementChar;
                var isPair = i + 6 < written.Length && written[i + 1] == '\\' && written[i + 2] == 'u';
                if (isPair && Rune.TryCreate(unit, HexUnit(written[(i + 3)..]), out var paired))
                {
                    rune = paired;
                    i += 6;
                }
            }

            length += rune.EncodeToUtf8(target[length..]);
        }

        return length;
    }

    private static char HexUnit(ReadOnlySpan<byte> digits)
    {
        var unit = 0;
        foreach (var digit in digits[..4])
            unit = (unit << 4) | (digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10);
        return (char)unit;
    }
}
