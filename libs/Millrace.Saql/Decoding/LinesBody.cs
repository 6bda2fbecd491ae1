using System.Text.Unicode;
using Millrace.Saql.Json;

namespace Millrace.Saql.Decoding;

/// <summary>
/// JSON lines as an array: a value a line, blank lines are none. A line that is no JSON becomes null, so that it fails
/// alone.
/// </summary>
internal static class LinesBody
{
    public static byte[] ToJson(ReadOnlySpan<byte> content)
    {
        var array = new MemoryStream(content.Length + 2);
        array.WriteByte((byte)'[');
        content = ByteOrderMark.Without(content);
        foreach (var part in content.Split((byte)'\n'))
        {
            var line = content[part].Trim(" \t\r"u8);
            if (line.IsEmpty) continue;
            if (array.Length > 1) array.WriteByte((byte)',');
            array.Write(IsValue(line) ? line : "null"u8);
        }

        array.WriteByte((byte)']');
        return array.ToArray();
    }

    private static bool IsValue(ReadOnlySpan<byte> line)
    {
        if (!Utf8.IsValid(line)) return false;
        var scanner = new JsonScanner(line);
        return scanner.TrySkipValue() && scanner.AtEnd;
    }
}
