using System.Text.Unicode;

namespace Millrace.Gateway.Topics;

/// <summary>Percent-encoding (RFC 3986 §2.1) of UTF-8. A plus sign is a plus sign.</summary>
internal static class PercentCode
{
    /// <summary>Decodes in place or into the target, which is as long as the text. -1 when it is malformed.</summary>
    public static int Decode(ReadOnlySpan<byte> text, Span<byte> target)
    {
        var written = 0;
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] != '%')
            {
                target[written++] = text[i];
                continue;
            }

            if (i + 2 >= text.Length) return -1;
            var high = Digit(text[i + 1]);
            var low = Digit(text[i + 2]);
            if (high < 0 || low < 0) return -1;
            target[written++] = (byte)((high << 4) | low);
            i += 2;
        }

        return Utf8.IsValid(target[..written]) ? written : -1;
    }

    private static int Digit(byte character) => character switch
    {
        >= (byte)'0' and <= (byte)'9' => character - '0',
        >= (byte)'a' and <= (byte)'f' => character - 'a' + 10,
        >= (byte)'A' and <= (byte)'F' => character - 'A' + 10,
        _ => -1,
    };
}
