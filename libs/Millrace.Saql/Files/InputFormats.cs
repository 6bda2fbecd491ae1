using Millrace.Saql.Decoding;
using Millrace.Saql.Extensions;
using Millrace.Saql.Json;

namespace Millrace.Saql.Files;

/// <summary>Files that are not JSON lines, as such.</summary>
public static class InputFormats
{
    private static readonly string[] Json = [".jsonl", ".json", ".ndjson"];
    private static readonly string[] Known = [".csv", ".cbor", ".avro"];

    /// <summary>Whether <see cref="ToLines"/> is needed: by the file's name, and what the input is.</summary>
    /// <param name="ending">The ending of the file's name, such as ".csv".</param>
    public static bool IsOther(string ending, QueryExtensions extensions, string input) => Known.Contains(ending)
        || (!Json.Contains(ending) && extensions.DecoderOf(extensions.ContentTypeOf(input)) is not null);

    /// <summary>A row a line; what cannot be read is an error SQ-0301.</summary>
    public static byte[] ToLines(byte[] content, string ending, QueryExtensions extensions, string input)
    {
        byte[] json;
        try
        {
            json = ending switch
            {
                ".csv" => CsvBody.ToJson(content),
                ".cbor" => CborBody.ToJson(content),
                ".avro" => AvroBody.ToJson(content),
                _ => extensions.DecoderOf(extensions.ContentTypeOf(input))!
                    .ToJson(content, extensions.ContentTypeOf(input)),
            };
        }
        catch (Exception wrong) when (wrong is FormatException or InvalidOperationException or KeyNotFoundException)
        {
            throw SaqlErrors.BadLine.With(wrong.Message).AsException(wrong);
        }

        var lines = new MemoryStream();
        var scanner = new JsonScanner(json, 0);
        if (!scanner.TrySkip((byte)'[')) return [.. json, (byte)'\n'];
        while (!scanner.AtEnd && scanner.Current != ']')
        {
            var start = scanner.At;
            scanner.TrySkipValue();
            lines.Write(json.AsSpan(start, scanner.At - start));
            lines.WriteByte((byte)'\n');
            scanner.TrySkip((byte)',');
        }

        return lines.ToArray();
    }
}
