using System.Text.Unicode;
using Millrace.Saql.Decoding;
using Millrace.Saql.Extensions;
using Millrace.Saql.Json;

namespace Millrace.Saql.Files;

/// <summary>Files that are not JSON lines, as such.</summary>
public static class InputFormats
{
    /// <summary>The most that a file becomes, which is whole in memory then.</summary>
    private const long FileBytesMax = 1L << 30;

    private static readonly Dictionary<string, string> Known = new()
    {
        [".csv"] = BodyDecoder.Csv,
        [".tsv"] = BodyDecoder.Tsv,
        [".cbor"] = BodyDecoder.Cbor,
        [".avro"] = BodyDecoder.Avro,
    };

    /// <summary>
    /// Whether <see cref="ToLines"/> is needed: by the file's name, and what the input is. JSON that is one text over
    /// several lines has the ending .json; .jsonl and .ndjson are lines.
    /// </summary>
    /// <param name="ending">The ending of the file's name, such as ".csv".</param>
    public static bool IsOther(string ending, QueryExtensions extensions, string input)
    {
        if (ending is ".json" || Known.ContainsKey(ending)) return true;
        var type = extensions.ContentTypeOf(input);
        return ending is not (".jsonl" or ".ndjson")
            && (extensions.DecoderOf(type) is not null || BodyDecoder.IsKnown(type));
    }

    /// <summary>The format knows text alone, so that a table's columns say what its fields are.</summary>
    public static bool IsUntyped(string ending, QueryExtensions extensions, string input) =>
        ending is not (".json" or ".jsonl" or ".ndjson") &&
            BodyDecoder.IsUntyped(TypeOf(ending, extensions, input));

    /// <summary>Unpacks a file of gzip into an empty one; one that is damaged or cut off is an error SQ-0304.</summary>
    /// <param name="name">The file's, for people.</param>
    public static void Unpack(Stream packed, Stream plain, string name)
    {
        try
        {
            PackedBody.UnpackGzip(packed, plain, long.MaxValue);
        }
        catch (FormatException wrong)
        {
            throw SaqlErrors.BadPackedFile.With(name).AsException(wrong);
        }
    }

    /// <summary>A row a line; what cannot be read is an error SQ-0301.</summary>
    public static byte[] ToLines(byte[] content, string ending, QueryExtensions extensions, string input)
    {
        if (ending is ".json") return LinesOfJson(content);
        var type = TypeOf(ending, extensions, input);
        try
        {
            var own = Known.ContainsKey(ending) ? null : extensions.DecoderOf(type);
            return LinesOfArray(own?.ToJson(content, type) ?? BodyDecoder.ToJson(content, type, FileBytesMax)!);
        }
        catch (Exception wrong) when (DecodedBody.IsDamage(wrong))
        {
            throw SaqlErrors.BadLine.With(wrong.Message).AsException(wrong);
        }
    }

    private static string TypeOf(string ending, QueryExtensions extensions, string input) =>
        Known.TryGetValue(ending, out var type) ? type : extensions.ContentTypeOf(input);

    private static byte[] LinesOfArray(byte[] json)
    {
        var lines = new MemoryStream();
        var scanner = new JsonScanner(json, 0);
        if (!scanner.TrySkip((byte)'[')) return [.. json, (byte)'\n'];
        while (!scanner.AtEnd && scanner.Current != ']')
        {
            var start = scanner.At;
            if (!scanner.TrySkipValue()) throw new FormatException("A row of it nests too deep, or is no JSON.");
            lines.Write(json.AsSpan(start, scanner.At - start));
            lines.WriteByte((byte)'\n');
            scanner.TrySkip((byte)',');
        }

        return lines.ToArray();
    }

    /// <summary>
    /// Values one behind the other, or within arrays, each on a line of its own. What is no JSON stays as it is, line
    /// by line, and is told where it stands.
    /// </summary>
    private static byte[] LinesOfJson(byte[] content)
    {
        var start = content.Length - ByteOrderMark.Without(content).Length;
        if (!Utf8.IsValid(content)) return content;
        var lines = new MemoryStream(content.Length);
        var scanner = new JsonScanner(content, start);
        for (scanner.SkipBlanks(); !scanner.AtEnd; scanner.SkipBlanks())
        {
            var isArray = scanner.TrySkip((byte)'[');
            for (scanner.SkipBlanks(); !scanner.AtEnd && !(isArray && scanner.Current == ']'); scanner.SkipBlanks())
            {
                var value = scanner.At;
                if (!scanner.TrySkipValue()) return content;
                var compact = new byte[scanner.At - value];
                lines.Write(compact.AsSpan(0, JsonScanner.Compact(content.AsSpan(value, compact.Length), compact)));
                lines.WriteByte((byte)'\n');
                scanner.SkipBlanks();
                if (!isArray) break;
                scanner.TrySkip((byte)',');
            }

            if (isArray && !scanner.TrySkip((byte)']')) return content;
        }

        return lines.ToArray();
    }
}
